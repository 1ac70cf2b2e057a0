"""Unlike runs in few words: what matters first, how many more there are, and long values from where they part."""

from __future__ import annotations

import pytest

from perfdb.compare.brief import in_lines, values_in_words
from perfdb.compare.comparison import Difference
from perfdb.errors import UnlikeRunsError
from tests.compare.made import compared, runs

NEW = "2025.11.3"


def test_of_many_packages_the_ones_that_tasks_go_through_are_shown_and_the_rest_is_counted() -> None:
    mine = {**{f"a{n:02}": "1.0" for n in range(20)}, "numpy": "1", "dill": "0.3"}
    with pytest.raises(UnlikeRunsError) as refused:
        compared(
            runs(700, packages=mine, python="3.11"),
            runs(630, packages={"numpy": "2", "dill": "0.4"}, python="3.12", machine="birch"),
            by="machine",
        )

    assert str(refused.value) == (
        "these runs differ in more than what is compared:\n"
        "  python: '3.11' against '3.12'\n"
        "  package.dill: '0.3' against '0.4'\n"
        "  package.numpy: '1' against '2'\n"
        "  package.a00: '1.0' against unknown\n"
        "  and 19 more packages; --json lists them once they are ignored\n"
        "compare them anyway with --ignore python --ignore packages"
    )


def test_the_packages_that_a_refusal_only_counts_are_listed_once_they_are_ignored() -> None:
    mine = {f"a{n:02}": "1.0" for n in range(20)}
    comparison = compared(
        runs(700, packages=mine), runs(630, packages={}, machine="birch"), by="machine", ignore=["packages"]
    )

    assert [d.dimension for d in comparison.ignored] == [f"package.a{n:02}" for n in range(20)]


def test_a_line_for_one_more_is_the_one_itself() -> None:
    packages = [Difference(dimension=f"package.{name}", values=(("'1'",), ("'2'",))) for name in "abcd"]

    assert len(list(in_lines(packages, ""))) == 4
    assert "more" not in "".join(in_lines(packages, ""))


def test_packages_of_a_side_that_was_not_to_be_pooled_are_counted_too() -> None:
    side = [*runs(700, 4, packages={f"a{n}": "1" for n in range(9)}), *runs(700, 4, packages={})]
    with pytest.raises(UnlikeRunsError, match=r"a2: '1' and unknown\n  and 6 more packages\nnarrow") as refused:
        compared(side, runs(630, parsl=NEW, packages={}))

    assert str(refused.value).endswith("pool them anyway with --ignore packages")


def test_long_values_are_told_from_shortly_before_they_part() -> None:
    common = "process_worker_pool.py {debug} " * 10
    told = values_in_words(
        Difference(dimension="param.executor.launch_cmd", values=((f"'{common}--block 1'",), (f"'{common}--log 2'",)))
    )

    assert told == "…r_pool.py {debug} --block 1' against …r_pool.py {debug} --log 2'"


def test_a_long_value_against_none_is_cut_at_its_end() -> None:
    told = values_in_words(Difference(dimension="param.x", values=(("'" + "y" * 300 + "'",), ("unknown",))))

    assert told == "'" + "y" * 59 + "… against unknown"
