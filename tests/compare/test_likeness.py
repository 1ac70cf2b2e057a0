"""Which runs of two versions may be held against each other, besides the version."""

from __future__ import annotations

from typing import Any

import pytest

from perfdb.compare.likeness import Likeness
from perfdb.record import Record
from tests.compare.made import rate, run

OLD, NEW = "2025.8.4", "2025.11.3"


def differing(*sides: list[Record]) -> tuple[str, ...]:
    known = {record.record_id: record for side in sides for record in side}
    return Likeness(known).differing(*([record.record_id for record in side] for side in sides))


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ()),
        ({"packages": {"dill": "0.4"}}, ()),
        ({"params": {"x": 2}}, ()),
        ({"python": "CPython 3.13.0"}, ("python",)),
        ({"kernel": "6.8"}, ("kernel",)),
        ({"scheduler": "slurm"}, ("scheduler",)),
    ],
)
def test_a_version_brings_its_packages_and_nothing_else(changes: dict[str, Any], names: tuple[str, ...]) -> None:
    assert (
        differing([run(rate(1.0), params={"x": 1})], [run(rate(1.0), parsl=NEW, **{"params": {"x": 1}, **changes})])
        == names
    )


def test_one_version_with_two_sets_of_packages_is_no_one_thing() -> None:
    one = [run(rate(1.0), packages={"dill": version}) for version in ("0.3", "0.4")]

    assert differing(one, [run(rate(1.0), parsl=NEW, packages={"dill": "0.4"})]) == ("package.dill",)
