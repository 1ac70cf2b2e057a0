"""What the overview says of the newest version, and what it does not."""

from __future__ import annotations

from pathlib import Path

from perfdb.record import Record
from perfdb.registry import Registry
from tests.compare.made import rate, run, runs
from tests.report.site.sites import Page, build

OLD, NEW = "2025.8.4", "2025.11.3"


def overview(root: Path, *records: Record) -> str:
    for record in records:
        Registry(root / "mlruns").save(record, {})
    build(root, root / "site")
    return Page(root / "site" / "index.html").text


def test_versions_on_two_pythons_have_no_verdict(tmp_path: Path) -> None:
    text = overview(
        tmp_path, *runs(700, python="CPython 3.11.7"), *runs(500, parsl=NEW, python="CPython 3.13.0", first_hour=9)
    )
    assert "not compared: other python" in text
    assert "worse than the version before" not in text


def test_repetitions_of_a_sitting_without_turns_are_no_units(tmp_path: Path) -> None:
    values = tuple(700.0 + i for i in range(8))
    text = overview(
        tmp_path,
        run(rate(*values), turns=tuple(range(1, 9))),
        run(rate(*(v / 2 for v in values)), parsl=NEW, turns=tuple(range(9, 17)), hour=1),
    )
    assert "1 with too few runs to tell" in text
