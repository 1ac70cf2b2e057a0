"""The scheduler how-to names the bounds that the code has."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfdb.families.schedulers.events import MOST_JOB_LINES, MOST_JOB_ROWS
from perfdb.families.schedulers.judge.findings import MOST_ROWS
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.workload.job import HIGHEST_LOAD, LOWEST_LOAD, MOST_JOBS, MOST_NODES

PAGE = Path(__file__).parents[2] / "docs/how-to/schedulers.md"
LARGEST = {
    "jobs": MOST_JOBS,
    "load": HIGHEST_LOAD,
    "nodes": MOST_NODES,
    "iters": 1000,
    "batches": 1000,
    "compress": 1e6,
}


def bounds() -> dict[str, str]:
    """What the table below `## Bounds` says of each thing."""
    section = PAGE.read_text(encoding="utf-8").split("\n## Bounds\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {name: told for name, told in rows if name}


@pytest.mark.parametrize("option", LARGEST)
def test_an_option_takes_its_bound_and_no_more(option: str) -> None:
    [told] = [told for name, told in bounds().items() if f"`--{option}`" in name]
    assert f"{LARGEST[option]:,.0f}" in told
    assert getattr(SchedulersSpec(**{option: LARGEST[option]}), option) == LARGEST[option]
    with pytest.raises(ValueError, match=option):
        SchedulersSpec(**{option: LARGEST[option] + 1})


def test_the_least_load_and_what_a_turn_can_tell_of_are_those_of_the_code() -> None:
    told = " ".join(bounds().values())
    for number in (LOWEST_LOAD, f"{MOST_JOB_ROWS:,}", f"{MOST_JOB_LINES:,}", f"{MOST_ROWS:,}"):
        assert str(number) in told
