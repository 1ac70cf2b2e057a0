"""What is told of two records beside one another."""

from __future__ import annotations

from perfdb.cli.reproduce import _lines
from perfdb.families import FAMILIES
from tests.compare.made import rate, run


def test_how_to_do_better_is_something_that_the_family_can_do() -> None:
    old, new = run(rate(1.0)), run(rate(1.0))
    *_, parsl = _lines(old, new, (), (), FAMILIES["throughput"])
    *_, service = _lines(old, new, (), (), FAMILIES["scaling"])

    assert "perfdb run … --against" in parsl
    assert "--against" not in service
    assert "perfdb compare" in service
