"""When what happened to a job, by its own stamps and by what Slurm says."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from perfdb.platforms.pocket import Places
from tests.families.schedulers.child.slurm.arms import CHILD, child_module

LOG = """\
[2026-11-22T02:00:00.100+00:00] _slurm_rpc_submit_batch_job: JobId=1 InitPrio=4294901759 usec=669
[2026-11-22T02:00:01.200+00:00] sched/backfill: _start_job: Started JobId=1 in pocket on n0
[2026-11-22T02:00:04.300+00:00] _job_complete: JobId=1 done
[2026-11-22T02:00:04.350+00:00] TRACE_JOBS: cleanup_completing: JobId=1
"""
ZERO_NS = 1_795_312_800 * 10**9


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(CHILD / "slurm"))
    yield child_module("times")
    for name in ("following", "times"):
        sys.modules.pop(name, None)


def seen(**fields: str) -> Any:
    return child_module("commands").Seen(**fields)


def by_log(times: ModuleType, folder: Path, text: str) -> Any:
    places = Places(folder)
    places.logs.mkdir()
    places.slurmctld_log.write_text(text)
    return times.ByLog(places, 0)


def test_a_log_tells_milliseconds_as_it_grows(times: ModuleType, tmp_path: Path) -> None:
    """The last line is there in half at first."""
    first = by_log(times, tmp_path, LOG[:-30])
    first.look()
    assert first.has_begun("1") and not first.is_over("1")
    with (tmp_path / "log" / "slurmctld.log").open("a") as file:
        file.write(LOG[-30:])
    first.look()
    assert first.is_over("1")
    ms = {"submitted": 100, "eligible": 100, "allocated": 1200, "started": 1200, "ended": 4300, "released": 4350}
    assert first.instants("1", seen()) == {name: ZERO_NS + value * 10**6 for name, value in ms.items()}


def test_lines_from_before_the_arm_are_not_its(times: ModuleType, tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.logs.mkdir()
    places.slurmctld_log.write_text(LOG)
    late = times.ByLog(places, len(LOG))
    late.look()
    assert not late.has_begun("1") and set(late.instants("1", seen()).values()) == {None}


def test_a_job_is_eligible_later_than_submitted_only_where_a_second_says_so(times: ModuleType, tmp_path: Path) -> None:
    log = by_log(times, tmp_path, LOG)
    log.look()
    same, later = (seen(eligible=str(ZERO_NS // 10**9 + second)) for second in (0, 120))
    assert log.instants("1", same)["eligible"] == ZERO_NS + 100 * 10**6
    assert log.instants("1", later)["eligible"] == ZERO_NS + 120 * 10**9


def test_a_start_that_is_only_planned_is_none(times: ModuleType) -> None:
    planned = seen(state="PENDING", submitted="50", eligible="50", started="90", ended="150")
    runs = seen(state="RUNNING", submitted="50", eligible="50", started="90", ended="150")
    over = seen(state="COMPLETED", submitted="50", eligible="50", started="90", ended="95")
    by = times.BySlurm(lambda: {"1": planned, "2": runs, "3": over})
    by.look()
    told = [by.instants(id, each) for id, each in (("1", planned), ("2", runs), ("3", over))]
    assert [(each["started"], each["ended"]) for each in told] == [
        (None, None),
        (90 * 10**9, None),
        (90 * 10**9, 95 * 10**9),
    ]
    assert [(by.has_begun(id), by.is_over(id)) for id in "123"] == [(False, False), (True, False), (True, True)]


def test_the_stamps_of_a_job_are_those_of_its_last_time(times: ModuleType, tmp_path: Path) -> None:
    stamps = tmp_path / "it"
    assert times.inside(stamps, waits=False) == (None, None, False)
    for text, expected in (
        ("began 5\nended 9\n", (5, 9, False)),
        ("began 5\nlimit 8\nended 9\n", (5, 9, True)),
        ("began 5\nlimit 8\nended 9\nbegan 20\n", (20, None, False)),
        ("began 5\nended 9", (5, None, False)),
        ("began five\n\nended -3\nbegan 7\n", (7, None, False)),
    ):
        stamps.write_text(text)
        assert times.inside(stamps, waits=False) == expected


def test_a_job_that_was_requeued_and_waits_has_not_begun(times: ModuleType, tmp_path: Path) -> None:
    stamps = tmp_path / "it"
    stamps.write_text("began 5\n")
    assert times.inside(stamps, waits=True) == (None, None, False)
