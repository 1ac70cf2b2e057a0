"""Groups of jobs that a reader can tell apart: by experiment, or by size where those are too many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.schedulers.alike import MOST_GROUPS, Alike
from tests.families.schedulers.on_nodes import ran


def of_sizes(*sizes: int) -> Alike:
    return Alike(ran(n, "", (0.0,), size=size) for n, size in enumerate(sizes, start=1))


def test_a_few_experiments_are_groups_in_order_of_their_sizes() -> None:
    jobs = [ran(1, "", (0.0,), size=4, experiment="a-wide"), ran(2, "", (0.0,), size=1, experiment="b-thin")]
    found = Alike(jobs)
    assert found.names == ("b-thin", "a-wide")
    assert [found.of(job) for job in jobs] == ["a-wide", "b-thin"]


def test_many_experiments_become_classes_of_sizes_each_twice_as_wide_as_the_one_before() -> None:
    assert of_sizes(*range(1, 17)).names == ("1 node", "2 nodes", "3–4 nodes", "5–8 nodes", "9–16 nodes")


def test_classes_grow_faster_where_sizes_span_more() -> None:
    assert of_sizes(1, 3, 4, 5, 7, 8, 9, 500).names == ("1–2 nodes", "3–8 nodes", "9–32 nodes", "129–512 nodes")


@given(st.lists(st.integers(1, 1_000_000), min_size=1, max_size=60))
def test_every_job_is_in_one_of_so_few_groups_whose_name_says_its_size(sizes: list[int]) -> None:
    found = of_sizes(*sizes)
    assert len(found.names) <= MOST_GROUPS
    for size in sizes:
        name = found.of(ran(1, "", (0.0,), size=size))
        assert name in found.names
        if len(set(sizes)) > MOST_GROUPS:
            least, _, most = name.replace(",", "").split()[0].partition("–")
            assert int(least) <= size <= int(most or least)
