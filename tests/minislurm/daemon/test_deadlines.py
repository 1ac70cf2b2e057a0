"""When a daemon wakes although nothing happens."""

from __future__ import annotations

from dataclasses import replace

from perfdb.minislurm.daemon.deadlines import next_ns
from perfdb.minislurm.daemon.ledger import Ledger
from perfdb.minislurm.policy.cluster import Rules, Waiting
from perfdb.minislurm.store.promise import Promise

S = 1_000_000_000
ELASTIC = Promise(1, 0, 1, 4, 64, None, True, 1, (0,), 1, 0, 100 * S, "boot", "none")
RULES = Rules(threshold_percent=50.0, cooldown_s=10.0, release_s=5.0)
WAITING = Waiting(9, 0, 4, 4, 4, 64, None, False)


def test_a_job_that_may_grow_once_it_has_cooled_wakes_it_then() -> None:
    assert _next(replace(ELASTIC, resized_ns=195 * S)) == 205 * S


def test_nothing_to_do_wakes_nobody() -> None:
    resized = replace(ELASTIC, resized_ns=195 * S)
    assert _next() is None
    assert _next(ELASTIC) is None, "it may have grown already"
    assert _next(replace(resized, is_elastic=False, max_cpus=1)) is None
    assert _next(replace(resized, cpu_ids=(0, 1, 2, 3), target_cpus=4)) is None, "it has all it may have"
    assert _next(replace(resized, is_cancelled=True)) is None
    assert _next(resized, rules=replace(RULES, elastic=False)) is None
    assert _next(resized, waiting=[WAITING]) is None, "no job grows while another waits"
    assert _next(resized, rules=replace(RULES, threshold_percent=12.5)) is None, "no job grows at the threshold"


def test_a_job_that_is_letting_go_wakes_it_when_its_time_is_over_and_seldom_after_that() -> None:
    shrinking = replace(ELASTIC, cpu_ids=(0, 1), resized_ns=198 * S)
    assert _next(shrinking, waiting=[WAITING]) == 203 * S
    assert _next(replace(shrinking, resized_ns=190 * S), waiting=[WAITING]) == 201 * S


def test_a_job_that_has_just_begun_is_looked_at_ever_more_seldom() -> None:
    young = [replace(ELASTIC, allocated_ns=200 * S - age_ns) for age_ns in (0, S // 2, 60 * S)]
    assert [_next(job, is_resizable=False) for job in young] == [200 * S + 5_000_000, 200 * S + S // 4, 201 * S]


def _next(
    *jobs: Promise, waiting: list[Waiting] | None = None, rules: Rules = RULES, is_resizable: bool = True
) -> int | None:
    ledger = Ledger(tuple(range(8)), waiting or [], {job.id: job for job in jobs})
    return next_ns(ledger, rules, 200 * S, lambda job: is_resizable)
