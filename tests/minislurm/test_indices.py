"""`--array` as people type it."""

from __future__ import annotations

import pytest

from perfdb.errors import UsageError
from perfdb.minislurm.indices import MOST_TASKS, array_indices


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("0-3", (0, 1, 2, 3)),
        ("1-7:2", (1, 3, 5, 7)),
        ("0,2,5", (0, 2, 5)),
        ("7", (7,)),
        ("5, 1-3,2", (1, 2, 3, 5)),
        ("0-4:9", (0,)),
    ],
)
def test_indices_are_ascending_and_each_is_there_once(text: str, indices: tuple[int, ...]) -> None:
    assert indices == array_indices(text)


@pytest.mark.parametrize("text", ["", "a", "1-", "-3", "1--3", "0-9:", "1,,2", "0-9%4", "1.5", "0 - 3", "٣"])
def test_what_names_no_indices_is_refused_with_what_does(text: str) -> None:
    with pytest.raises(UsageError, match=r"names no indices.*such as --array 0-9, 1-7:2 or 0,2,5\.$"):
        array_indices(text)


def test_a_range_the_wrong_way_round_is_refused_with_the_right_one() -> None:
    with pytest.raises(UsageError, match=r"down to 3\. Type --array 3-9\.$"):
        array_indices("9-3")


def test_steps_of_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="steps of 0"):
        array_indices("0-9:0")


def test_as_many_tasks_as_there_may_be_are_taken() -> None:
    assert len(array_indices(f"1-{MOST_TASKS}")) == MOST_TASKS


@pytest.mark.parametrize("text", [f"0-{MOST_TASKS}", "0-2147483647", f"1-{MOST_TASKS},1", "0-60000,0-60000"])
def test_more_tasks_are_refused_before_they_are_counted_one_by_one(text: str) -> None:
    with pytest.raises(UsageError, match=r"more than 100,000 tasks.*such as --array 0-99999\.$"):
        array_indices(text)


def test_an_index_that_is_too_high_is_refused() -> None:
    with pytest.raises(UsageError, match="above 2147483647"):
        array_indices("2147483648")
