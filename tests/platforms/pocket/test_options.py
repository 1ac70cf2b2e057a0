"""Each option changes what Slurm does, not only what it says."""

from __future__ import annotations

import pytest

from perfdb.platforms.pocket import Options, Places
from tests.platforms.pocket.pockets import running, slurm, wait_until

pytestmark = pytest.mark.usefixtures("real_slurm")


def submit(places: Places, *options: str, wrap: str = "sleep 600") -> str:
    """The number of a new job."""
    return slurm(places, "sbatch", "--parsable", "--output=/dev/null", *options, f"--wrap={wrap}")


def state(places: Places, job: str) -> str:
    """R, PD, S, …"""
    return slurm(places, "squeue", "--noheader", "--states=all", "--format=%t", f"--jobs={job}")


def configured(places: Places) -> dict[str, str]:
    """As slurmctld says it is."""
    lines = slurm(places, "scontrol", "show", "config").splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}


@pytest.mark.parametrize(("scheduler", "expected"), [("backfill", "R"), ("builtin", "PD")])
def test_only_backfill_lets_a_short_job_go_before_a_wide_one(scheduler: str, expected: str) -> None:
    with running(Options(nodes=2, cpus=1, scheduler=scheduler)) as places:
        assert configured(places)["SchedulerType"] == f"sched/{scheduler}"
        long = submit(places, "--nodes=1", "--time=60")
        wait_until(lambda: state(places, long) == "R")
        wide = submit(places, "--nodes=2", "--time=60")
        short = submit(places, "--nodes=1", "--time=1")
        if expected == "R":
            wait_until(lambda: state(places, short) == "R")
        else:
            # The scheduler has looked at it, and said why it waits.
            why = lambda job: slurm(places, "squeue", "--noheader", "--format=%r", f"--jobs={job}")  # noqa: E731
            wait_until(lambda: (why(wide), why(short)) == ("Resources", "Priority"))
        assert (state(places, wide), state(places, short)) == ("PD", expected)


@pytest.mark.parametrize(("select", "expected"), [("cons_tres", "R"), ("linear", "PD")])
def test_only_cons_tres_lets_two_jobs_share_a_node(select: str, expected: str) -> None:
    with running(Options(nodes=1, cpus=2, select=select)) as places:
        assert configured(places)["SelectType"] == f"select/{select}"
        first, second = submit(places, "--ntasks=1"), submit(places, "--ntasks=1")
        wait_until(lambda: state(places, first) == "R")
        wait_until(
            lambda: slurm(places, "squeue", "--noheader", "--format=%r", f"--jobs={second}") in ("None", "Resources")
        )
        wait_until(lambda: state(places, second) == expected)


@pytest.mark.parametrize(("preempt", "expected"), [("off", "R"), ("requeue", "PD"), ("suspend", "S")])
def test_a_job_of_high_takes_the_node_of_one_of_low_as_asked(preempt: str, expected: str) -> None:
    with running(Options(nodes=1, cpus=1, preempt=preempt, priority="multifactor")) as places:
        assert configured(places)["PriorityType"] == "priority/multifactor"
        low, high = ("low", "high") if preempt != "off" else ("pocket", "pocket")
        first = submit(places, f"--partition={low}")
        wait_until(lambda: state(places, first) == "R")
        second = submit(places, f"--partition={high}")
        wait_until(lambda: state(places, second) == ("PD" if preempt == "off" else "R"))
        assert state(places, first) == expected
