"""Samples as curves, apart by what tells them apart."""

from __future__ import annotations

from perfdb.report.charts.samples import MOST_CURVES, curves

SAMPLES = {
    "arm_name": ["mini-slurm", "mini-slurm", "simulated:fifo", "simulated:fifo"],
    "experiment": ["long", "short", "long", "short"],
    "ended_s": [1.0, 2.0, 3.0, None],
}


def test_what_was_simulated_is_never_in_one_curve_with_what_was_measured() -> None:
    by_experiment = curves(SAMPLES, "ended_s", "experiment")
    assert by_experiment == {"long, mini-slurm": [1.0], "short, mini-slurm": [2.0], "long, simulated:fifo": [3.0]}
    assert curves(SAMPLES, "ended_s", "") == {"mini-slurm": [1.0, 2.0], "simulated:fifo": [3.0]}
    assert curves(SAMPLES, "ended_s", "arm_name") == curves(SAMPLES, "ended_s", "")


def test_of_too_many_words_the_arms_stay_apart() -> None:
    count = MOST_CURVES + 1
    many = {
        "arm_name": [("slurm:builtin", "simulated:fifo")[n % 2] for n in range(count)],
        "job": list(range(count)),
        "wait_s": [float(n) for n in range(count)],
    }
    assert set(curves(many, "wait_s", "job")) == {"slurm:builtin", "simulated:fifo"}


def test_samples_without_arms_are_apart_by_the_words_alone() -> None:
    assert curves({"mode": ["a", "b", "a"], "s": [1, 2.0, True]}, "s", "mode") == {"a": [1.0], "b": [2.0]}
