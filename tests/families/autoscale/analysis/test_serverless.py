"""A serverless profile means its formula, and a wrong one is told."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import UsageError
from perfdb.families.autoscale.analysis.serverless import Serverless, read_profile


def platform(**said) -> Serverless:
    return Serverless(**{"given_by": "a test", "seconds_per_core": 0.0, **said})


def test_seconds_per_core_alone_are_one_core_after_another():
    assert platform(seconds_per_core=2.5).ready_s(4) == (2.5, 5.0, 7.5, 10.0)


def test_cold_starts_overlap_as_many_as_may():
    assert platform(cold_start_s=3.0, concurrency=1).ready_s(3) == (3.0, 6.0, 9.0)
    assert platform(cold_start_s=3.0, concurrency=2).ready_s(5) == (3.0, 3.0, 6.0, 6.0, 9.0)
    assert platform(cold_start_s=3.0).ready_s(3) == (3.0, 3.0, 3.0)


def test_a_cold_start_waits_for_its_grant_and_for_a_place():
    # Granted at 1, 2, 3, 4; two places; each start takes 5: the third waits for the first, the fourth for the second.
    assert platform(seconds_per_core=1.0, cold_start_s=5.0, concurrency=2).ready_s(4) == (6.0, 7.0, 11.0, 12.0)


def test_cores_kept_warm_have_no_cold_start_and_take_no_place():
    kept = platform(seconds_per_core=1.0, cold_start_s=5.0, concurrency=1, kept_warm=2)
    assert kept.ready_s(4) == (1.0, 2.0, 8.0, 13.0)


@given(
    st.integers(1, 8).map(lambda n: n / 4),
    st.integers(0, 20).map(lambda n: n / 4),
    st.integers(1, 6),
    st.integers(0, 9),
)
def test_no_more_start_at_a_time_than_may_and_later_cores_are_never_earlier(each, cold, most, kept):
    ready = platform(seconds_per_core=each, cold_start_s=cold, concurrency=most, kept_warm=kept).ready_s(24)
    assert list(ready) == sorted(ready)
    for at in ready[kept:]:
        assert sum(end - cold < at <= end for end in ready[kept:]) <= most if cold else True


@given(st.integers(0, 8), st.integers(1, 20), st.integers(1, 6))
def test_overlap_never_delays_and_warmth_never_does(each, cold, most):
    told = platform(seconds_per_core=float(each), cold_start_s=float(cold), concurrency=most)
    ready = [scenario.ready_s(20) for _, scenario in told.scenarios()]
    for slower, faster in pairwise(ready):
        assert all(a >= b for a, b in zip(slower, faster, strict=True))


def test_scenarios_tell_nothing_twice():
    names = [name for name, _ in platform(seconds_per_core=1.0, cold_start_s=2.0, concurrency=1).scenarios()]
    assert names == ["serverless in turn", "serverless kept warm"]
    names = [name for name, _ in platform(cold_start_s=2.0, concurrency=4).scenarios()]
    assert names == ["serverless in turn", "serverless overlapping"]


def test_a_profile_is_read_from_toml():
    text = 'given_by = "a paper"\nseconds_per_core = 2\ncold_start_s = 1.5\nconcurrency = 4\n'
    assert read_profile(text, "p.toml") == Serverless(
        given_by="a paper", seconds_per_core=2.0, cold_start_s=1.5, concurrency=4
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seconds_per_core = 2.5", "given_by: Field required"),
        ('given_by = "x"', "seconds_per_core: Field required"),
        ('given_by = "x"\nseconds_per_core = "2.5"', "seconds_per_core"),
        ('given_by = "x"\nseconds_per_core = true', "seconds_per_core"),
        ('given_by = "x"\nseconds_per_core = nan', "finite"),
        ('given_by = "x"\nseconds_per_core = 2.5\nconcurrency = 0', "concurrency"),
        ('given_by = "x"\nseconds_per_core = 0', "no time at all"),
        ('given_by = "x"\nseconds_per_core = 0\ncold_start_s = 3\nkept_warm = 1', "no time at all"),
        ('given_by = "x"\nseconds_per_core = 2.5\nsped = 1', "sped"),
        ("given_by", "no TOML"),
        ("concurrency = " + "9" * 5000, "no TOML"),
        ("given_by = " + "[" * 50_000, "no TOML"),
    ],
)
def test_a_wrong_profile_is_told_with_an_example(text, words):
    with pytest.raises(UsageError, match=words) as told:
        read_profile(text, "p.toml")
    assert "p.toml" in str(told.value)
    assert "seconds_per_core = 2.5" in str(told.value)
