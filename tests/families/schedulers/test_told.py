"""What people see of a run: while it goes on, afterwards, and in files of their own."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

from perfdb.families import Program
from perfdb.families.base import Around, Shown
from perfdb.families.schedulers import FAMILY
from perfdb.families.schedulers.outputs import FILES
from perfdb.families.schedulers.shown import HEADS
from perfdb.families.schedulers.workload.swf import read_swf
from perfdb.record import Code, Environment, Record
from tests.families.schedulers.turns import FIFO, SPEC, happened, lines, runs, unended, with_first

ABOUT = Program("iter-1-arm-1", ())


def heard(said: list[str]) -> list[str]:
    hear = FAMILY.progress(ABOUT)
    return [told for line in said if (told := hear(line)) is not None]


def record() -> Record:
    """As much of one as is looked at."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    measured = FAMILY.assemble(SPEC, None, runs())
    return Record.seal(
        family="schedulers",
        experiment="schedulers",
        run_name="r",
        status=measured.status,
        reason=measured.reason,
        started_at=now,
        ended_at=now,
        duration_s=0.0,
        spec=SPEC.model_dump(mode="json"),
        params={},
        config=None,
        environment=Environment(machine="m"),
        code=Code(perfdb_version="0"),
        metrics=measured.metrics,
        checks=measured.checks,
        findings=measured.findings,
    )


def test_an_arm_tells_how_it_stands_ever_less_often_and_how_it_ended() -> None:
    stand = [{"kind": "progress", "at_s": float(at), "submitted": 3, "running": 1, "ended": 1} for at in range(1, 6)]
    said = lines("mini-slurm", happened(FIFO))
    assert heard([said[0], *map(json.dumps, stand), *said[1:]]) == [
        "2 s, 1 of 3 jobs over, 1 running",
        "3 s, 1 of 3 jobs over, 1 running",
        "5 s, 1 of 3 jobs over, 1 running",
        "3 jobs over, makespan 20 s",
    ]


def test_an_end_tells_what_is_not_as_it_should_be() -> None:
    cut = lines("mini-slurm", [*happened(FIFO)[:2], unended(3, 2.0)], end={"outcome": "timeout"})
    assert heard(cut) == ["timeout: 2 jobs over, 1 not over"]
    odd = lines("mini-slurm", [*happened(FIFO)[:2], {**happened(FIFO)[2], "state": "FAILED"}])
    assert heard(odd) == ["3 jobs over, makespan 20 s, 1 not completed"]
    assert heard(lines("mini-slurm", [], end={"outcome": "failed", "trouble": "it burnt"})) == ["failed: it burnt"]
    assert heard([json.dumps({"kind": "note", "text": "mind this"}), "no answer"]) == ["mind this"]


def test_a_record_is_shown_by_scheduler_and_experiment_and_says_what_is_simulated() -> None:
    measured = FAMILY.assemble(SPEC, None, runs())
    assert FAMILY.shown is not None
    shown = FAMILY.shown(record(), measured.samples)
    assert shown.table == (
        HEADS,
        ("mini-slurm", "long", "2", "10 s", "0 s", "0 s"),
        ("mini-slurm", "short", "2", "18 s", "0 s", "13 s"),
        ("mini-slurm", "wide", "2", "14 s", "0 s", "9 s"),
        ("simulated:easy (simulated)", "long", "2", "10 s", "0 s", "0 s"),
        ("simulated:easy (simulated)", "short", "2", "5 s", "0 s", "0 s"),
        ("simulated:easy (simulated)", "wide", "2", "14 s", "0 s", "9 s"),
    )


def test_no_mean_is_shown_where_a_job_was_not_over() -> None:
    measured = FAMILY.assemble(SPEC, None, with_first([*happened(FIFO)[:2], unended(3, 2.0)]))
    assert FAMILY.shown is not None
    assert ("mini-slurm", "short", "2, 1 not to their end", "-", "-", "-") in FAMILY.shown(
        record(), measured.samples
    ).table


def test_samples_of_nobodys_run_show_nothing() -> None:
    assert FAMILY.shown is not None
    assert FAMILY.shown(record(), {"iteration": [1]}) == FAMILY.shown(record(), {}) == Shown()


def test_a_runs_own_files_hold_its_table_its_jobs_and_its_list() -> None:
    assert FAMILY.outputs is not None
    made = FAMILY.outputs.make(SPEC, "clog", record(), runs(), Around())
    assert tuple(made) == FILES
    table: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(made["table.csv"].decode())))
    assert [(row["scheduler"], row["made"], row["mean"]) for row in table if row["experiment"] == "short"] == [
        ("mini-slurm", "measured", "18.0"),
        ("simulated:easy", "simulated", "5.0"),
    ]
    jobs = list(csv.DictReader(io.StringIO(made["jobs.csv"].decode())))
    assert [row["job"] for row in jobs] == 4 * ["1", "2", "3"]
    assert [line.number("run_time") for line in read_swf(made["workload.swf"].decode(), "workload").jobs] == [10, 5, 5]


def test_a_run_without_a_list_still_writes_its_files() -> None:
    assert FAMILY.outputs is not None
    made = FAMILY.outputs.make(SPEC, "clog", record(), [], Around())
    assert made["jobs.csv"].count(b"\n") == made["table.csv"].count(b"\n") == 1
