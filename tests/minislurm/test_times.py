"""`--time` as Slurm takes it."""

from __future__ import annotations

import pytest

from perfdb.errors import UsageError
from perfdb.minislurm.times import limit_s, slurm_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 5400),
        ("0:02", 2),
        ("1:30", 90),
        ("1:30:00", 5400),
        ("2-0", 172_800),
        ("2-12:30", 217_800),
        ("1-00:00:01", 86_401),
        ("0:90", 90),
    ],
)
def test_a_limit_is_read_as_slurm_reads_it(text: str, seconds: int) -> None:
    assert seconds == limit_s(text)


@pytest.mark.parametrize("text", ["", "soon", "-5", "1:2:3:4", "1.5", "1-", "-1:00", "1:-5", "1h", "1:", "٣", "9" * 40])
def test_what_is_no_time_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no time\. Type .* --time 1:30:00\.$"):
        limit_s(text)


@pytest.mark.parametrize(("text", "why"), [("0", "no time"), ("0:00", "no time"), ("36501-0", "36,500 days")])
def test_a_limit_that_is_none_or_endless_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=rf"{why}.*leave --time out\.$"):
        limit_s(text)


@pytest.mark.parametrize("text", ["0:00:02", "1:30:00", "23:59:59", "2-12:30:00"])
def test_a_limit_that_is_shown_can_be_typed_again(text: str) -> None:
    assert text == slurm_time(limit_s(text))
