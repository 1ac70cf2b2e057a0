"""From arms in turns to metrics with a value an iteration."""

from __future__ import annotations

from dataclasses import replace

from perfdb.families.schedulers.outcome import ArmRun
from perfdb.families.schedulers.summarise import summarise, summary_of
from tests.families.schedulers.done import arm, job, samples_of


def one(iteration: int, place: int, makespan_s: float | None) -> ArmRun:
    ended = job(1, 0, 0, makespan_s) if makespan_s is not None else job(1, 0, watched=300)
    return arm(ended, place=place, iteration=iteration)


def values(*runs: ArmRun) -> dict[str, tuple[float, ...]]:
    return {metric.name: tuple(metric.all_values) for metric in summary_of(runs)}


def test_an_arm_has_a_value_for_each_iteration_in_their_order_and_a_difference_to_the_first() -> None:
    found = values(one(2, 2, 18), one(2, 1, 25), one(1, 1, 23), one(1, 2, 19))
    assert found["arm1_makespan_s"] == (23, 25)
    assert found["arm2_makespan_s"] == (19, 18)
    assert found["arm2_less_arm1_makespan_s"] == (-4, -7)


def test_an_iteration_that_one_arm_did_not_finish_is_in_no_difference() -> None:
    found = values(one(1, 1, 23), one(1, 2, None), one(2, 1, 25), one(2, 2, 18))
    assert found["arm1_makespan_s"] == (23, 25)
    assert found["arm2_makespan_s"] == (18,)
    assert found["arm2_less_arm1_makespan_s"] == (-7,)
    assert found["arm2_completed_share"] == (0, 1)


def test_every_later_arm_is_set_against_the_first() -> None:
    found = values(one(1, 1, 20), one(1, 2, 30), one(1, 3, 15))
    assert found["arm2_less_arm1_makespan_s"] == (10,)
    assert found["arm3_less_arm1_makespan_s"] == (-5,)


def test_what_a_simulated_arm_has_part_in_is_called_simulated() -> None:
    runs = [one(1, 1, 20), replace(one(1, 2, 30), label="simulated:easy"), one(1, 3, 15)]
    found = values(*runs)
    told = {name: found[name] for name in found if name.endswith("makespan_s")}
    assert told == {
        "arm1_makespan_s": (20,),
        "simulated_arm2_makespan_s": (30,),
        "arm3_makespan_s": (15,),
        "simulated_arm2_less_arm1_makespan_s": (10,),
        "arm3_less_arm1_makespan_s": (-5,),
    }
    of_the_first = values(replace(runs[0], label="simulated:fifo"), runs[2])
    assert of_the_first["simulated_arm3_less_arm1_makespan_s"] == (-5,)
    assert not any(name.startswith("arm1_") for name in of_the_first)


def test_no_samples_are_no_metrics() -> None:
    assert summarise({}) == ()


def test_samples_are_read_and_summed_up() -> None:
    runs = (one(1, 1, 23), one(1, 2, 19))
    samples = samples_of(*runs, names={1: "slurm:builtin", 2: "slurm:backfill"})
    assert summarise(samples) == summary_of(runs)
