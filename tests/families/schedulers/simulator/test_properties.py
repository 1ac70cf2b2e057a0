"""What holds of any list of jobs."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfdb.families.schedulers.outcome import Outcome
from perfdb.families.schedulers.plan import Delays
from perfdb.families.schedulers.simulator.policies import POLICIES
from perfdb.families.schedulers.simulator.simulate import simulate
from perfdb.families.schedulers.workload.job import WorkJob
from tests.families.schedulers.simulator.lists import LONG_S, NONE, allocated, exact, lists, numbers, quarters
from tests.families.schedulers.simulator.naive import play

DELAYS = st.builds(Delays, schedule_s=quarters(0, 4), release_s=quarters(0, 4))
IN_CYCLES = st.builds(Delays, schedule_s=quarters(0, 4), release_s=quarters(0, 4), cycle_s=quarters(0, 8))
NODES = 5
of_each_policy = pytest.mark.parametrize("policy", POLICIES)


def simulated(jobs: tuple[WorkJob, ...], policy: str, delays: Delays = NONE, nodes: int = NODES) -> list[Outcome]:
    found = {str(name): one for name, one in POLICIES.items()}
    return list(simulate(jobs, nodes, found[policy], delays, LONG_S))


@of_each_policy
@given(jobs=lists(), delays=DELAYS)
def test_every_job_gets_the_nodes_that_the_slow_way_gives_it(
    policy: str, jobs: tuple[WorkJob, ...], delays: Delays
) -> None:
    slow = play(jobs, NODES, policy, delays)
    assert allocated(simulated(jobs, policy, delays)) == {job.job: slow.got.get(job.job) for job in jobs}


@of_each_policy
@settings(max_examples=40)
@given(jobs=lists(), delays=IN_CYCLES)
def test_no_node_is_held_by_two(policy: str, jobs: tuple[WorkJob, ...], delays: Delays) -> None:
    holds: dict[int, list[tuple[float, float]]] = {}
    for one in simulated(jobs, policy, delays):
        nodes = numbers(one.nodes)
        assert nodes <= set(range(NODES))
        assert len(nodes) == (one.work.nodes if one.work.nodes <= NODES else 0)
        for node in nodes:
            assert one.allocated_s is not None and one.released_s is not None
            holds.setdefault(node, []).append((one.allocated_s, one.released_s))
    for spans in holds.values():
        spans.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


@of_each_policy
@settings(max_examples=30)
@given(jobs=lists(), delays=IN_CYCLES)
def test_every_job_is_told_once_and_takes_what_it_takes(policy: str, jobs: tuple[WorkJob, ...], delays: Delays) -> None:
    outcomes = simulated(jobs, policy, delays)
    assert sorted(one.work.job for one in outcomes) == [job.job for job in jobs]
    for one in outcomes:
        if one.work.nodes > NODES:
            assert one.is_censored and one.state == "PENDING"
            continue
        assert one.allocated_s is not None and one.started_s is not None
        assert one.ended_s is not None and one.released_s is not None
        assert one.allocated_s >= one.work.arrival_s
        assert one.started_s - one.allocated_s == delays.schedule_s
        assert one.ended_s - one.started_s == min(one.work.run_s, one.work.limit_s)
        assert one.released_s - one.ended_s == delays.release_s


@given(jobs=lists())
def test_backfill_never_delays_the_head_beyond_its_first_reservation(jobs: tuple[WorkJob, ...]) -> None:
    promised = play(jobs, NODES, "easy", NONE).heads
    got = allocated(simulated(jobs, "easy"))
    for job, reserved_s in promised.items():
        found = got[job]
        assert found is not None and found[0] <= reserved_s


@settings(max_examples=30)
@given(jobs=lists(widest=5, narrowest=3), delays=DELAYS)
def test_without_a_job_that_fits_beside_another_backfill_is_first_come_first_served(
    jobs: tuple[WorkJob, ...], delays: Delays
) -> None:
    assert simulated(jobs, "easy", delays) == simulated(jobs, "fifo", delays)


@settings(max_examples=50)
@given(jobs=lists(), delays=DELAYS)
def test_of_jobs_that_are_not_elastic_the_policy_of_mini_slurm_is_backfill(
    jobs: tuple[WorkJob, ...], delays: Delays
) -> None:
    assert simulated(jobs, "mini-slurm", delays) == simulated(jobs, "easy", delays)


@given(jobs=lists())
@settings(max_examples=20)
def test_one_list_has_one_result(jobs: tuple[WorkJob, ...]) -> None:
    assert simulated(jobs, "easy") == simulated(jobs, "easy")


@settings(max_examples=30)
@given(jobs=lists(widest=5))
def test_with_exact_limits_first_come_first_served_starts_jobs_in_their_order(jobs: tuple[WorkJob, ...]) -> None:
    got = [one.allocated_s for one in sorted(simulated(exact(jobs), "fifo"), key=lambda one: one.work.job)]
    assert got == sorted(got, key=lambda at_s: at_s or 0.0)
