"""`perfdb schedulers fit`: what a run tells of its schedulers' delays, and the simulator held against another run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from perfdb.cli.schedulers import app
from perfdb.errors import UsageError
from perfdb.families.schedulers.arms import Policy
from perfdb.families.schedulers.outcome import ArmRun
from perfdb.families.schedulers.plan import Delays
from perfdb.families.schedulers.simulator.policies import POLICIES
from perfdb.families.schedulers.simulator.simulate import simulate
from perfdb.families.schedulers.summarise import summarise
from perfdb.families.schedulers.workload.job import WorkJob
from tests.families.schedulers.on_nodes import columns_of
from tests.families.schedulers.simulator.lists import listed
from tests.report.charts.test_drawing import saved

# On 4 nodes one after another, whoever is first: 3 s each.
IN_TURN = listed(*((number / 4, 3, 3.0, 60.0) for number in range(4)))
# All there at once, as wide as the machine: 2 s each.
OTHERS = listed(*((0.0, 4, 2.0, 60.0) for _ in range(3)))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ran(
    jobs: tuple[WorkJob, ...], label: str, policy: Policy, schedule_s: float, place: int = 1, iterations: int = 2
) -> list[ArmRun]:
    """An arm that always takes as long, and a quarter of a second to free its nodes."""
    delays = Delays(schedule_s=schedule_s, release_s=0.25)
    outcomes = tuple(simulate(jobs, 4, POLICIES[policy], delays, 1e6))
    return [ArmRun(iteration, place, label, 4, outcomes) for iteration in range(1, iterations + 1)]


def measured(root: Path, workload: str, *arms: list[ArmRun]) -> str:
    """The record's id."""
    runs = [run for arm in arms for run in arm]
    columns = columns_of(sorted(runs, key=lambda run: (run.iteration, run.arm if run.iteration % 2 else -run.arm)))
    record, _ = saved(
        root,
        columns,
        family="schedulers",
        experiment="schedulers",
        spec={"arms": ",".join(arm[0].label for arm in arms), "iters": max(run.iteration for run in runs), "nodes": 4},
        params={"workload.name": workload},
        metrics=summarise(columns),
    )
    return record.record_id


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["fit", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def document(*arguments: str) -> dict[str, Any]:
    found = json.loads(typed(*arguments, "--json"))
    assert isinstance(found, dict)
    return found


def refused(*arguments: str) -> str:
    with pytest.raises(UsageError) as told:
        CliRunner().invoke(app, ["fit", *arguments], catch_exceptions=False)
    return str(told.value)


def two_arms(root: Path) -> str:
    return measured(
        root,
        "size-2-3",
        ran(IN_TURN, "slurm:backfill", "easy", 0.5),
        ran(IN_TURN, "slurm:builtin", "fifo", 1.0, place=2),
    )


def test_each_arm_has_its_delays_and_the_flags_that_simulate_it(root: Path) -> None:
    record_id = two_arms(root)
    found = document(record_id)
    assert [(one["label"], one["schedule_delay_s"], one["release_delay_s"], one["jobs"]) for one in found["arms"]] == [
        ("slurm:backfill", 0.5, 0.25, 8),
        ("slurm:builtin", 1.0, 0.25, 8),
    ]
    text = typed(record_id)
    assert "size-2-3, 4 jobs, 2 iterations" in text
    assert (
        "simulate slurm:builtin: --arms simulated:fifo --schedule-delay-s 1 --release-delay-s 0.25" in text.splitlines()
    )


def test_one_arm_can_be_asked_for_by_its_place(root: Path) -> None:
    record_id = two_arms(root)
    assert [one["label"] for one in document(record_id, "--arm", "2")["arms"]] == ["slurm:builtin"]
    assert "Give --arm one of 1, 2" in refused(record_id, "--arm", "3")


def test_the_simulator_is_held_against_the_makespan_of_another_list(root: Path) -> None:
    """Learned: 0.5 s. The other run took 0.75 s: 3 times 3 less 0.25 s, where 3 times 2.75 less 0.25 are simulated."""
    source = two_arms(root)
    other = measured(root, "three", ran(OTHERS, "slurm:backfill", "easy", 0.75))
    (row,) = document(source, "--against", other)["against"]
    assert (row["workload"], row["label"], row["policy"]) == ("three", "slurm:backfill", "easy")
    assert (row["simulated_makespan_s"], row["measured_makespan_s"]) == (8.0, 8.75)
    assert row["off_percent"] == pytest.approx(-100 * 0.75 / 8.75)
    text = typed(source, "--against", other)
    assert "simulated makespan" in text and "-8.6 %" in text


def test_a_run_without_an_arm_in_common_is_nothing_to_hold_it_against(root: Path) -> None:
    other = measured(root, "three", ran(OTHERS, "mini-slurm", "mini-slurm", 0.75))
    assert "has no arm whose delays were learned (slurm:backfill, slurm:builtin)" in refused(
        two_arms(root), "--against", other
    )


def test_simulated_arms_teach_nothing(root: Path) -> None:
    simulated = measured(root, "size-2-3", ran(IN_TURN, "simulated:easy", "easy", 0.5))
    assert "simulated:easy was not measured" in refused(simulated)


def test_of_several_runs_one_is_to_be_named(root: Path) -> None:
    two_arms(root)
    measured(root, "three", ran(OTHERS, "slurm:backfill", "easy", 0.75))
    assert "names 2 runs, and one is asked for" in refused("family = schedulers")


def test_delays_of_few_iterations_are_told_with_a_warning(root: Path) -> None:
    few = measured(root, "size-2-3", ran(IN_TURN, "slurm:backfill", "easy", 0.5, iterations=4))
    enough = measured(root, "size-2-3", ran(IN_TURN, "slurm:backfill", "easy", 0.5, iterations=5))
    told = CliRunner().invoke(app, ["fit", few, "--json"], catch_exceptions=False)
    assert "from so few iterations (4)" in told.stderr
    assert "from so few iterations (4)" in json.loads(told.stdout)["arms"][0]["warning"]
    assert document(enough)["arms"][0]["warning"] is None


def test_delays_that_differ_widely_without_a_cycle_are_told_with_a_warning(root: Path) -> None:
    runs = [
        replace(run, iteration=2 * run.iteration - 1 + late)
        for late in (0, 1)
        for run in ran(IN_TURN, "slurm:backfill", "easy", 0.25 + late * 0.5, iterations=3)
    ]
    (one,) = document(measured(root, "size-2-3", runs))["arms"]
    assert one["schedule_cycle_s"] == 0
    assert "no cycle was found" in one["warning"] and "spread over 0.500 s" in one["warning"]
