from __future__ import annotations

import base64
import struct
import zlib

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.scaling.histogram import HIGHEST, Histogram

values = st.lists(st.one_of(st.integers(0, 5000), st.integers(0, 2 * HIGHEST)), max_size=50)


@given(values)
def test_every_rank_is_told_to_three_digits(counted):
    histogram = Histogram.of(counted)
    assert histogram.total == len(counted)
    for rank, value in enumerate(sorted(min(value, HIGHEST) for value in counted), start=1):
        assert histogram.at_rank(rank) == pytest.approx(value, rel=1e-3)
    assert histogram.at_rank(len(counted) + 1) is None


@given(values, values)
def test_the_sum_of_two_is_the_histogram_of_all(some, others):
    summed = Histogram.of(some)
    summed.add(Histogram.of(others))
    whole = Histogram.of(some + others)
    assert (summed.counts, summed.total) == (whole.counts, whole.total)


@given(values)
def test_what_was_encoded_is_decoded(counted):
    histogram = Histogram.of(counted)
    again = Histogram.decode(histogram.encoded())
    assert (again.counts, again.total) == (histogram.counts, histogram.total)


def test_hdr_histogram_itself_encodes_and_decodes_the_same():
    counted = [0, 1, 2, 1999, 2000, 2047, 2048, 4097, 1_000_000, 1_000_900, 123_456_789, HIGHEST]
    ours = Histogram.of(counted)
    theirs = HdrHistogram(1, HIGHEST, 3)
    for value in counted:
        theirs.record_value(value)
    assert Histogram.decode(theirs.encode().decode()).counts == ours.counts
    read = HdrHistogram.decode(ours.encoded())
    assert read.get_total_count() == len(counted)
    for percentile in (1, 50, 90, 100):
        assert read.get_value_at_percentile(percentile) == theirs.get_value_at_percentile(percentile)


# What PyPI hdrhistogram 0.10.8 says of 1, 1,000, 1,000 and 1,000,000 with these limits.
KNOWN = "HISTFAAAACh4nJNpmSzMwMDAyQABzFCaEURcm7yEwf4DVIDpND/L+3mMTACGwQcB"


def test_a_text_of_another_implementation_is_read():
    assert [(value, count) for value, count in Histogram.decode(KNOWN).steps()] == [(1, 1), (1000, 2), (1_000_192, 1)]


def _packed(payload: bytes, digits: int = 3, cookie: int = 0x1C849313) -> str:
    body = zlib.compress(struct.pack(">iiiiqqd", cookie, len(payload), 0, digits, 1, HIGHEST, 1.0) + payload)
    return base64.b64encode(struct.pack(">ii", 0x1C849314, len(body)) + body).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not base64",
        "AAAA",
        Histogram.of([5]).encoded()[:-8],
        _packed(b"\x02", digits=2),
        _packed(b"\x02", cookie=7),
        _packed(b"\x80"),  # ends within a number
        _packed(b"\x02" * 100_000),  # more buckets than there are
        _packed(b"\xff" * 9 + b"\x02"),  # skips further than there are buckets
        _packed(b"\x00" * 100_000_000),
    ],
)
def test_a_text_that_is_no_histogram_of_ours_is_refused(text):
    with pytest.raises(ValueError, match="histogram"):
        Histogram.decode(text)


@given(st.binary(max_size=60))
def test_no_payload_is_more_than_refused(payload):
    try:
        histogram = Histogram.decode(_packed(payload))
    except ValueError:
        return
    assert histogram.total == sum(histogram.counts.values())
    assert all(count > 0 for count in histogram.counts.values())
