"""`mini-slurm events`."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

from perfdb.cli.mini_slurm.events import table
from perfdb.minislurm.store.job import Event
from tests.cli.mini_slurm.homes import Home

# An elastic job in the style of a polled file; it ends once it has seen its fourth CPU.
POLLING = """
import os, time
path = os.environ["MINI_SLURM_CONTROL_FILE"]
while "CPUS=4" not in open(path).read().splitlines():
    time.sleep(0.02)
"""


def event(kind: str, ns: int, boot: str = "a", at: float = 1704103200.0, cpus_from: int | None = None) -> Event:
    return Event(1, kind, 1, ns, at, boot, cpus_from, 4, "")


def test_instants_are_told_to_the_microsecond_from_the_submission_on() -> None:
    rows = list(table([event("submitted", 5_000), event("decided", 1_234_572_000, cpus_from=2)]))
    assert rows[1].split()[2:] == ["0.000000", "1", "submitted", "4"]
    assert rows[2].split()[2:] == ["1.234567", "1", "decided", "2->4"]


def test_after_a_reboot_the_wall_clock_tells_how_long_it_was() -> None:
    rows = list(table([event("submitted", 9_000_000_000), event("ended", 5, boot="b", at=1704103260.0)]))
    assert rows[2].split()[2] == "60.000000"


def test_a_signal_is_told_with_how_many_processes_it_went_to() -> None:
    for detail, said in (("0", "0 processes"), ("1", "1 process")):
        assert list(table([replace(event("signalled", 1), detail=detail)]))[1].endswith(f" {said}")


def test_a_resize_is_told_from_its_decision_on(served: Home) -> None:
    id = served.submitted("--elastic", "--cpus", "2", "--max-cpus", "4", sys.executable, "-c", POLLING)
    assert served.told("wait", str(id), "--timeout", "60").code == 0
    (job,) = served.document("events", str(id))["jobs"]
    kinds = [event["kind"] for event in job["events"]]
    assert [k for k in kinds if k in ("submitted", "allocated", "started")] == ["submitted", "allocated", "started"]
    decided, written = (next(e for e in job["events"] if e["kind"] == kind) for kind in ("decided", "written"))
    assert (decided["cpus_from"], decided["cpus_to"], decided["generation"]) == (2, 4, 1)
    assert decided["ns"] <= written["ns"]
    assert "ended" in kinds
    out = served.told("events", str(id)).out
    assert re.search(r" 1 decided +2->4", out)


def test_of_several_jobs_each_is_named(home: Home) -> None:
    array = home.submitted("--array", "3-4", "true")
    assert [f"job {array}_3", f"job {array}_4"] == re.findall(r"^job .*", home.told("events", str(array)).out, re.M)
