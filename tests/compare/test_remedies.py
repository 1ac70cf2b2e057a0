"""Where there are too few, the commands that would do are there to type."""

from __future__ import annotations

from typing import Any

from perfdb.record import ConfigRef, Origin
from tests.compare.made import compared, runs

OLD, NEW = "2025.8.4", "2025.11.3"
DEFAULTS: dict[str, dict[str, Any]] = {"throughput": {"time": 120.0, "argsize": 0, "reps": 3, "probe": True}}
ASKED = {"time": 5.0, "argsize": 0, "reps": 3, "probe": False, "resources": None}


def config(name: str) -> ConfigRef:
    return ConfigRef(name=name, source_sha256=(name[0].encode().hex() * 32), fingerprint="0" * 64)


def test_two_releases_are_measured_in_turns_by_one_command():
    comparison = compared(runs(700, 2, spec=ASKED), runs(630, 2, parsl=NEW, spec=ASKED), defaults=DEFAULTS)

    assert comparison.remedies == (
        f"perfdb run throughput local_htex --parsl {NEW} --against {OLD} --time 5 --no-probe --reps 10",
    )


def test_two_configs_are_measured_in_turns_by_one_command():
    sides = [
        runs(level, 2, spec=ASKED, config=config(name), params={"x": name}) for level, name in ((7, "a"), (6, "b c"))
    ]
    comparison = compared(*sides, by="config", defaults=DEFAULTS)

    assert comparison.remedies == ("perfdb run throughput 'b c' --against a --time 5 --no-probe --reps 10",)


def test_two_machines_each_need_more_records():
    one, other = runs(700, 2), runs(630, 4, machine="birch")
    comparison = compared(one, other, by="machine", defaults=DEFAULTS)

    assert comparison.remedies == (
        f"for i in 1 2 3; do perfdb reproduce {one[-1].record_id}; done  # on hopper",
        f"perfdb reproduce {other[-1].record_id}  # on birch",
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
