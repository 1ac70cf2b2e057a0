"""A record's loads as people see them after a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from perfdb.families.scaling.samples import COLUMNS
from perfdb.families.scaling.shown import shown
from perfdb.record import Check
from tests.families.scaling.counted import Counted, columns_of, record, up_to

SPEC: dict[str, Any] = {"mode": "ws", "shape": "burst", "reps": 3}


def test_each_load_has_a_row_with_what_was_found_there(tmp_path: Path) -> None:
    loads = up_to(128, hosts=2, grid=(64, 128, 256))
    found = shown(record(tmp_path, loads, spec=SPEC), columns_of(loads))
    assert found.table[0][:2] == ("wait", "load")
    assert [(row[1], row[2], row[-2], row[-1]) for row in found.table[1:]] == [
        ("64", "100 %", "2", "3 of 3"),
        ("128", "100 %", "2", "3 of 3"),
        ("256", "100 %", "2", "0 of 3"),
    ]


def test_fewer_hosts_in_one_repetition_are_seen(tmp_path: Path) -> None:
    loads = [Counted(64, 1.05, hosts={"a": 1, "b": 1}), Counted(64, 1.05, repetition=2)]
    assert shown(record(tmp_path, loads, spec=SPEC), columns_of(loads)).table[1][-2] == "1–2"


def test_what_to_type_next_is_told_and_larger_loads_only_where_all_passed(tmp_path: Path) -> None:
    loads = up_to(128, grid=(64, 128, 256))
    kept = record(tmp_path, loads, spec=SPEC)
    assert shown(kept, columns_of(loads)).further == (f"perfdb scaling analyze {kept.record_id}",)
    loads = up_to(256, grid=(64, 128, 256))
    _, larger = shown(record(tmp_path, loads, spec=SPEC), columns_of(loads)).further
    assert "--requests-grid 256,512,1024" in larger
    searched = record(tmp_path, loads, spec={**SPEC, "requests_grid": "64", "bisect_to": 256})
    assert "--bisect-to 1024" in shown(searched, columns_of(loads)).further[1]


def test_loads_with_a_fault_have_numbers_and_are_not_judged(tmp_path: Path) -> None:
    loads = [Counted(64, 1.05, failed=8)]
    fault = {"mode": "ws", "shape": "open", "reps": 1, "fault_after": 2, "fault_command": "(not kept)"}
    kept = record(tmp_path, loads, spec=fault)
    row = dict(zip(COLUMNS, (1, 1, 1.0, 64, "spoiled", "fault", None, 1), strict=True))
    found = shown(kept, {name: [*values, row[name]] for name, values in columns_of(loads).items()})
    assert (found.table[1][2], found.table[1][-1]) == ("87.5 %", "-")
    assert found.further == ()


def test_what_does_not_count_is_not_to_be_analysed_next(tmp_path: Path) -> None:
    loads = up_to(128)
    kept = record(tmp_path, loads, spec=SPEC).model_copy(update={"status": "invalid", "reason": "hosts_even: no"})
    found = shown(kept, columns_of(loads))
    assert found.table
    assert found.further == ()


def test_where_the_clients_were_the_limit_more_of_them_are_proposed(tmp_path: Path) -> None:
    loads = up_to(128)
    late = Check(
        name="clients_kept_up", passed=False, detail="load 128: the longest stall was 1.000 s, more than 0.5 s"
    )
    kept = record(tmp_path, loads, spec={**SPEC, "clients": 2})
    found = shown(kept.model_copy(update={"status": "invalid", "checks": (late,)}), columns_of(loads))
    assert len(found.further) == 1
    assert "--clients 4" in found.further[0]


def test_of_what_no_run_could_have_made_nothing_is_shown(tmp_path: Path) -> None:
    loads = up_to(128)
    kept = record(tmp_path, loads, spec=SPEC)
    assert shown(kept, {"load": [1]}).table == ()
    assert shown(kept.model_copy(update={"spec": {"reps": -1}}), columns_of(loads)).table == ()
