"""Where there are too few, the commands that would do are there to type."""

from __future__ import annotations

from typing import Any

import pytest

from perfdb.record import Code, ConfigRef, Metric, Origin, Record
from tests.compare.made import compared, rate, run, runs

OLD, NEW = "2025.8.4", "2025.11.3"
DEFAULTS: dict[str, dict[str, Any]] = {"throughput": {"time": 120.0, "argsize": 0, "reps": 3, "probe": True}}
ASKED = {"time": 5.0, "argsize": 0, "reps": 3, "probe": False, "resources": None}


def config(name: str) -> ConfigRef:
    return ConfigRef(name=name, source_sha256=(name[0].encode().hex() * 32), fingerprint="0" * 64)


def test_two_releases_are_measured_in_turns_by_one_command():
    comparison = compared(runs(700, 2, spec=ASKED), runs(630, 2, parsl=NEW, spec=ASKED), defaults=DEFAULTS)

    assert comparison.remedies == (
        f"perfdb run throughput local_htex --parsl {NEW} --against {OLD} --time 5 --no-probe --reps 10 --machine hopper  # on hopper",
    )


def test_two_configs_are_measured_in_turns_by_one_command():
    sides = [
        runs(level, 2, spec=ASKED, config=config(name), params={"x": name}) for level, name in ((7, "a"), (6, "b c"))
    ]
    comparison = compared(*sides, by="config", defaults=DEFAULTS)

    assert comparison.remedies == (
        "perfdb run throughput 'b c' --against a --time 5 --no-probe --reps 10 --machine hopper  # on hopper",
    )


def test_two_machines_each_need_more_records():
    one, other = runs(700, 2), runs(630, 4, machine="birch")
    comparison = compared(one, other, by="machine", defaults=DEFAULTS)

    assert comparison.remedies == (
        f"for i in 1 2 3; do perfdb reproduce {one[-1].record_id}; done  # on hopper",
        f"perfdb reproduce {other[-1].record_id}  # on birch",
    )


def test_a_service_is_named_once_more_and_never_measured_in_turns():
    sides = [
        runs(level, 2, family="scaling", config=config(name), params={"service.host": name})
        for level, name in ((7, "a"), (6, "b"))
    ]
    comparison = compared(*sides, by="config", defaults=DEFAULTS)

    assert comparison.remedies == tuple(
        f"for i in 1 2 3; do perfdb reproduce {side[-1].record_id} URL; done  "
        "# on hopper; URL: where that service is, in the version that was measured"
        for side in sides
    )


def test_enough_needs_no_remedy():
    assert compared(runs(700), runs(630, parsl=NEW), defaults=DEFAULTS).remedies == ()


def test_what_was_imported_cannot_be_run_again():
    origin = Origin(kind="imported", source_kind="csv", source="x", source_sha256="0" * 64)

    assert compared(runs(7, 1, origin=origin), runs(6, 1, parsl=NEW, origin=origin)).remedies == ()


def test_a_strangers_name_is_quoted_for_the_shell():
    evil = "x; echo planted"
    sides = [runs(level, 2, config=config(name), params={"x": name}) for level, name in ((7, "a"), (6, evil))]
    (command,) = compared(*sides, by="config", defaults={"throughput": {"time": 5.0}}).remedies

    assert f"'{evil}'" in command


def latency(value: float) -> Metric:
    return Metric(name="task_latency_p50_s", unit="s", direction="lower", value=value)


def in_turns(parsl: str, place: int, count: int = 1) -> list[Record]:
    """Records of ten repetitions and one latency each, of as many sittings; `place` is 0 for the first of each pair."""
    turns = tuple(range(1 + place, 21, 2))
    return [
        run(
            rate(*(700.0 + i + n for i in range(10))),
            latency(0.005 + n / 10_000 + place / 1_000_000),
            parsl=parsl,
            turns=turns,
            sitting=f"{n:032x}",
            hour=n,
            spec={"time": 5.0, "reps": 10},
        )
        for n in range(count)
    ]


METRICS = ["warm_tasks_per_s", "task_latency_p50_s"]


def test_what_a_run_has_once_needs_more_runs_and_a_comparison_of_all_of_them():
    comparison = compared(in_turns(OLD, 0), in_turns(NEW, 1), metrics=METRICS, defaults=DEFAULTS)

    assert comparison.remedies == (
        f"for i in 1 2 3 4; do perfdb run throughput local_htex --parsl {NEW} --against {OLD} --time 5 --reps 10 --machine hopper; done; "
        f"perfdb compare {OLD} {NEW} --metric task_latency_p50_s  # on hopper",
    )


def test_as_many_runs_as_the_remedy_makes_are_enough():
    comparison = compared(in_turns(OLD, 0, 5), in_turns(NEW, 1, 5), metrics=METRICS, defaults=DEFAULTS)

    assert "too few" not in {metric.verdict for metric in comparison.cases[0].metrics}
    assert comparison.remedies == ()


def of_source(source: str) -> dict[str, Any]:
    return {"code": Code(perfdb_version="0.1.0", measured={"parsl": "2026.10.26", "parsl_source": source})}


def test_a_commit_is_named_in_the_way_that_installs():
    sides = [runs(level, 2, spec=ASKED, **of_source(f"commit {c * 40}")) for level, c in ((700, "a"), (630, "b"))]
    (command,) = compared(*sides, defaults=DEFAULTS).remedies

    assert command == (
        f"perfdb run throughput local_htex --parsl FOLDER@{'b' * 40} --against FOLDER@{'a' * 40} --time 5 --no-probe "
        "--reps 10 --machine hopper  # on hopper; FOLDER: a checkout of Parsl"
    )


@pytest.mark.parametrize("source", ["a folder, content 0123", "commit abcdef1 with uncommitted changes, content 0123"])
def test_a_parsl_that_nothing_told_would_install_has_no_command(source: str):
    one = runs(700, 2)

    assert compared(one, runs(630, 2, **of_source(source)), defaults=DEFAULTS).remedies == (
        f"for i in 1 2 3; do perfdb reproduce {one[-1].record_id}; done  # on hopper",
    )


def test_a_commit_whose_config_was_overridden_is_reproduced_with_it():
    changed = {"overrides": {"executor.max_workers_per_node": 2}}
    sides = [runs(7, 4, **changed, **of_source(f"commit {c * 40}")) for c in "ab"]
    commands = compared(*sides, defaults=DEFAULTS).remedies

    assert commands == tuple(
        f"perfdb reproduce {side[-1].record_id} --parsl FOLDER@{c * 40}  # on hopper; FOLDER: a checkout of Parsl"
        for side, c in zip(sides, "ab", strict=True)
    )
