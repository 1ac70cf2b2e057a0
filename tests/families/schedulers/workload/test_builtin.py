"""The built-in workloads: what each is made to show, on any number of nodes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import UsageError
from perfdb.families.schedulers.workload.arrivals import offered_load, poisson
from perfdb.families.schedulers.workload.builtin import BUILTINS
from perfdb.families.schedulers.workload.job import WorkJob
from perfdb.families.schedulers.workload.load import loaded


def jobs(name: str, nodes: int = 4, seed: int = 1, load: float = 0.7, count: int = 0) -> tuple[WorkJob, ...]:
    return loaded(name, nodes=nodes, seed=seed, load=load, jobs=count, compress=1.0).jobs


def first_come_first_served(listed: tuple[WorkJob, ...], nodes: int) -> float:
    """When the last job ends, if each starts as soon as it can and none before an earlier one."""
    ends: list[float] = [0.0] * nodes
    began = 0.0
    for job in listed:
        ends.sort()
        began = max(began, job.arrival_s, ends[job.nodes - 1])
        ends[: job.nodes] = [began + job.run_s] * job.nodes
    return max(ends)


def test_clog_has_a_long_job_on_three_of_four_nodes_one_that_wants_all_and_short_ones_behind():
    long, wide, *shorts = jobs("clog")
    assert (long.nodes, long.experiment) == (3, "long")
    assert (wide.nodes, wide.experiment) == (4, "wide")
    assert {(short.nodes, short.experiment) for short in shorts} == {(1, "short")}
    assert long.arrival_s < wide.arrival_s < min(short.arrival_s for short in shorts)


@given(st.integers(2, 200))
def test_clog_gains_by_backfill_on_any_number_of_nodes(nodes):
    """The shorts take more than one round of the whole machine, and all of them fit beside the long job."""
    long, wide, *shorts = jobs("clog", nodes)
    free = nodes - long.nodes
    last_s = max(short.arrival_s for short in shorts)
    assert 1 <= free < nodes and wide.nodes == nodes < len(shorts)
    assert -(-len(shorts) // free) * shorts[0].run_s <= long.run_s
    assert last_s + shorts[0].run_s < long.run_s
    fifo_s = first_come_first_served((long, wide, *shorts), nodes)
    assert fifo_s >= long.run_s + wide.run_s + 2 * shorts[0].run_s
    assert shorts[0].limit_s < long.limit_s - last_s, (
        "a backfilled short is over before the wide one's turn by its limit"
    )


def test_one_pass_of_clog_takes_twenty_to_thirty_seconds():
    assert 20 <= first_come_first_served(jobs("clog"), 4) <= 30


def test_size_2_has_jobs_of_two_nodes_that_arrive_faster_than_four_nodes_take_them():
    listed = jobs("size-2")
    load = offered_load(listed, 4)
    assert {job.nodes for job in listed} == {2} and load is not None and load > 1


def test_size_2_3_alternates_so_that_a_node_of_four_strands():
    listed = jobs("size-2-3")
    assert [job.nodes for job in listed] == [2, 3] * 4
    assert [job.experiment for job in listed[:2]] == ["size-2", "size-3"]


@given(st.integers(1, 64), st.integers(1, 100))
def test_mixed_has_each_size_as_often_as_any_other(nodes, count):
    sizes = [job.nodes for job in jobs("mixed", nodes, count=count)]
    often = [sizes.count(size) for size in range(1, nodes + 1)]
    assert len(sizes) == count and sum(often) == count and max(often) - min(often) <= 1


def test_mixed_is_shuffled_by_its_seed():
    assert [job.nodes for job in jobs("mixed", seed=1)] != [job.nodes for job in jobs("mixed", seed=2)]


@given(st.integers(2, 60), st.floats(0.05, 5.0), st.integers(0, 2**53))
def test_mixed_arrives_at_exactly_the_load_that_was_asked_for(count, load, seed):
    assert offered_load(jobs("mixed", load=load, seed=seed, count=count), 4) == pytest.approx(load, rel=1e-4)


def test_arrivals_between_the_first_and_the_last_are_uniform():
    """The share of 10,000 arrivals before a tenth, a half and nine tenths of the span, to three standard errors."""
    from random import Random

    at = poisson(10_000, work_node_s=100.0, nodes=2, load=0.5, chance=Random("arrivals"))
    assert (at[0], at[-1]) == (0.0, 100.0) and at == sorted(at)
    for share in (0.1, 0.5, 0.9):
        error = 3 * (share * (1 - share) / len(at)) ** 0.5
        assert abs(sum(second < 100 * share for second in at) / len(at) - share) < error


def test_jobs_that_arrive_at_once_offer_no_load():
    assert offered_load(jobs("mixed", count=1), 4) is None


def test_one_seed_is_one_list_in_any_process():
    program = (
        "from perfdb.families.schedulers.workload.load import loaded\n"
        f"for name in {list(BUILTINS)!r}:\n"
        "    print(loaded(name, nodes=4, seed=7, load=0.7, jobs=0, compress=1.0).sha256)"
    )
    here = [loaded(name, nodes=4, seed=7, load=0.7, jobs=0, compress=1.0).sha256 for name in BUILTINS]
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONHASHSEED": "5"}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == here


def test_the_lists_are_those_that_earlier_records_name():
    """A digest that changes makes all earlier records unlike new ones: do that on purpose only."""
    found = {name: loaded(name, nodes=4, seed=1, load=0.7, jobs=0, compress=1.0).sha256[:12] for name in BUILTINS}
    assert found == {
        "clog": "eeaf68ea7e69",
        "size-2": "a639d87278ac",
        "size-2-3": "6d4f78a6d30f",
        "mixed": "25c2ee30d32e",
    }


@pytest.mark.parametrize("name", BUILTINS)
def test_another_seed_has_other_users(name):
    users = {tuple(job.user for job in jobs(name, seed=seed)) for seed in range(5)}
    assert len(users) > 1


@pytest.mark.parametrize("name", BUILTINS)
def test_a_limit_is_whole_minutes_as_slurm_counts_it_and_more_than_the_job_runs(name):
    assert all(job.limit_s % 60 == 0 and job.limit_s > job.run_s for job in jobs(name))


@pytest.mark.parametrize(
    ("name", "nodes", "count", "told"),
    [
        ("clgo", 4, 0, "Did you mean clog?"),
        ("clog", 1, 0, "needs 2 nodes at least"),
        ("clog", 4, 9, "leave --jobs out"),
        ("size-2-3", 2, 0, "--nodes 3"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_type(name, nodes, count, told):
    with pytest.raises(UsageError, match=told):
        jobs(name, nodes, count=count)
