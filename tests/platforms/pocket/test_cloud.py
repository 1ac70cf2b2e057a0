"""Nodes that are powered up when a job wants them, by Slurm's own power saving."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from perfdb.platforms.pocket import Options, Places
from perfdb.platforms.pocket.status import node_states, status
from tests.platforms.pocket.pockets import running, slurm, wait_until
from tests.platforms.pocket.test_power import folded

pytestmark = pytest.mark.usefixtures("real_slurm")
BOOT_S = 1.0


@pytest.fixture(scope="module")
def cloud() -> Iterator[Places]:
    with running(Options(nodes=3, cloud=True, boot_s=BOOT_S)) as places:
        yield places


def events(places: Places, node: str) -> list[dict[str, Any]]:
    """What became of the node, oldest first."""
    lines = places.power_events.read_text().splitlines() if places.power_events.exists() else []
    return [event for event in map(json.loads, lines) if event["node"] == node]


def slurmds(places: Places) -> set[str]:
    """The nodes whose daemon runs."""
    return {name.removeprefix("slurmd-") for name in status(places).daemons if name.startswith("slurmd-")}


def test_a_node_boots_for_a_batch_job_and_goes_when_nothing_is_left_to_do(cloud: Places) -> None:
    assert node_states(cloud)["n0"] == "idle~"
    assert "n0" not in slurmds(cloud)
    said = cloud.folder / "said"
    slurm(cloud, "sbatch", "--wait", "--nodelist=n0", f"--output={said}", "--wrap=echo on $SLURMD_NODENAME")
    assert said.read_text() == "on n0\n"
    asked, booted = events(cloud, "n0")
    assert (asked["event"], booted["event"]) == ("power_up", "booted")
    assert booted["at"] - asked["at"] >= BOOT_S
    assert "n0" in slurmds(cloud)
    wait_until(lambda: node_states(cloud)["n0"] == "idle~")
    assert [event["event"] for event in events(cloud, "n0")] == ["power_up", "booted", "power_down"]
    assert "n0" not in slurmds(cloud)


def test_slurm_names_several_nodes_as_the_tests_of_power_do(cloud: Places) -> None:
    named = slurm(cloud, "scontrol", "show", "hostlistsorted", "n0,n1,n2,n5,n7,n8")
    assert named == folded([0, 1, 2, 5, 7, 8]) == "n[0-2,5,7-8]"


def test_a_job_over_nodes_begins_when_all_of_them_are_up(cloud: Places) -> None:
    said = cloud.folder / "both"
    job = ("--nodelist=n1,n2", "--exclusive", f"--output={said}")
    slurm(cloud, "sbatch", "--wait", *job, "--wrap=srun sh -c 'echo $SLURMD_NODENAME; date +%s.%N >&2'")
    lines = sorted(said.read_text().split())
    assert lines[2:] == ["n1", "n2"]
    assert all(events(cloud, node)[-1]["at"] < float(lines[0]) for node in ("n1", "n2"))


def test_a_broken_node_does_not_boot_and_is_told(cloud: Places) -> None:
    wait_until(lambda: node_states(cloud)["n0"] == "idle~")
    (cloud.nodes / "n0.broken").touch()
    before = len(events(cloud, "n0"))
    job = slurm(cloud, "sbatch", "--parsable", "--nodelist=n0", "--output=/dev/null", "--wrap=true")
    wait_until(lambda: len(events(cloud, "n0")) == before + 2)
    assert [event["event"] for event in events(cloud, "n0")[before:]] == ["power_up", "boot_failed"]
    assert "n0" not in slurmds(cloud)
    assert slurm(cloud, "squeue", "--noheader", "--format=%t", f"--jobs={job}") == "CF"
    slurm(cloud, "scancel", job)
