"""Every unit that a measured metric may have is listed where a record is described."""

from __future__ import annotations

from pathlib import Path

from perfdb.families import FAMILIES

RECORD = Path(__file__).parents[2] / "docs" / "record.md"


def test_every_unit_of_a_metric_stands_on_the_page_of_records() -> None:
    (line,) = [
        line for line in RECORD.read_text(encoding="utf-8").splitlines() if line.startswith("| `metrics[].unit`")
    ]
    units = {definition.unit for family in FAMILIES.values() for definition in family.metrics.values()}
    assert len(units) > 10
    assert {unit for unit in units if f"`{unit}`" not in line} == set()
