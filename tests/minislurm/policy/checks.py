"""What must hold of every pass, each said by itself and without the policy's own words."""

from __future__ import annotations

from perfdb.minislurm.policy.cluster import Cluster, Resize, Running, Start, Waiting
from perfdb.minislurm.policy.decide import decide
from tests.minislurm.policy.oracle import start_s
from tests.minislurm.policy.world import Pass, World


def possible(cluster: Cluster) -> list[Waiting]:
    """Those in the queue that an empty cluster could hold."""
    return [job for job in cluster.waiting if job.cpus <= cluster.cpus and job.mem_mb <= cluster.mem_mb]


def held(cluster: Cluster) -> int:
    """CPUs that are promised."""
    return sum(job.cpus for job in cluster.running)


def changes(seen: Pass) -> list[tuple[Running, int]]:
    """Each job that is resized, and by how much."""
    before = {job.id: job for job in seen.before.running}
    return [(before[act.id], act.cpus - before[act.id].cpus) for act in seen.actions if isinstance(act, Resize)]


def starts(seen: Pass) -> list[Waiting]:
    """Those that start, in the order of the queue."""
    ids = {act.id for act in seen.actions if isinstance(act, Start)}
    return [job for job in seen.before.waiting if job.id in ids]


def backfilled(seen: Pass) -> list[Waiting]:
    """Those that start although somebody in front of them still waits."""
    left = possible(seen.after)
    return [job for job in starts(seen) if left and (-left[0].priority, left[0].id) < (-job.priority, job.id)]


def no_more_is_promised_than_exists(seen: Pass) -> None:
    assert held(seen.after) <= seen.after.cpus
    assert sum(job.mem_mb for job in seen.after.running) <= seen.after.mem_mb


def nobody_is_below_its_minimum_or_above_its_maximum(seen: Pass) -> None:
    for job in seen.after.running:
        assert job.min_cpus <= job.cpus <= job.max_cpus
        assert job.min_cpus <= job.target_cpus <= job.cpus


def each_job_is_told_at_most_one_thing(seen: Pass) -> None:
    told = [act.id for act in seen.actions]
    assert len(told) == len(set(told))
    waiting = {job.id: job for job in seen.before.waiting}
    running = {job.id for job in seen.before.running}
    for act in seen.actions:
        if isinstance(act, Start):
            assert act.cpus == waiting[act.id].cpus
        else:
            assert act.id in running


def only_elastic_jobs_that_stay_and_have_let_go_are_resized(seen: Pass) -> None:
    for job, change in changes(seen):
        assert seen.rules.elastic and job.is_elastic and not job.is_ending
        assert job.cpus == job.target_cpus
        assert change != 0


def a_higher_one_is_served_by_shrinking_lower_ones(seen: Pass) -> None:
    """Full machine or not: whoever is first and could be served that way has its CPUs under way after the pass."""
    late = {job.id for job in backfilled(seen)}
    running = [job for job in seen.after.running if job.id not in late]
    for first in possible(seen.after)[:1]:
        if first.mem_mb > seen.after.mem_mb - sum(job.mem_mb for job in running):
            return
        # Those that were told a number before have to answer to that first.
        settled = {job.id for job in seen.before.running if job.cpus == job.target_cpus}
        lower = [job for job in running if job.priority < first.priority and job.id in settled and not job.is_ending]
        more = sum(job.target_cpus - job.min_cpus for job in lower if job.is_elastic and seen.rules.elastic)
        got = seen.after.cpus - sum(job.target_cpus for job in running)
        assert got >= first.cpus or got + more < first.cpus


def nobody_gives_more_than_is_missing(seen: Pass) -> None:
    """Where somebody shrinks, what is free and coming is exactly what the first few in the queue need, who have memory."""
    if all(change > 0 for _, change in changes(seen)):
        return
    got = seen.after.cpus - sum(job.target_cpus for job in seen.after.running)
    free_mb = seen.after.mem_mb - sum(job.mem_mb for job in seen.after.running)
    sums, cpus, mem_mb = set(), 0, 0
    for job in possible(seen.after):
        cpus += job.cpus
        mem_mb += job.mem_mb
        if mem_mb <= free_mb:
            sums.add(cpus)
    assert got in sums


def the_lowest_give_first(seen: Pass) -> None:
    shrunk = [job for job, change in changes(seen) if change < 0]
    if not shrunk:
        return
    highest = max(job.priority for job in shrunk)
    settled = {job.id for job in seen.before.running if job.cpus == job.target_cpus}
    for job in seen.after.running:
        could = job.is_elastic and not job.is_ending and job.priority < highest and job.id in settled
        assert not could or job.target_cpus == job.min_cpus


def lower_ones_never_shrink_higher_ones(seen: Pass) -> None:
    """From a priority and above no more is taken than those above it need."""
    shrunk = [(job.priority, -change) for job, change in changes(seen) if change < 0]
    left = possible(seen.after)
    for priority, _ in shrunk:
        taken = sum(cpus for other, cpus in shrunk if other >= priority)
        assert taken <= sum(job.cpus for job in left if job.priority > priority)


def backfill_never_delays_the_head(seen: Pass) -> None:
    """As the oracle plays it, however fast jobs answer to shrinks."""
    late = backfilled(seen)
    if not late:
        return
    head = possible(seen.after)[0]
    ids = {job.id for job in late}
    without = [job for job in seen.after.running if job.id not in ids]
    for answer_s in (0.0, seen.rules.release_s / 2, seen.rules.release_s):
        alone_s = start_s(head, seen.after, without, seen.rules, answer_s)
        assert alone_s is not None
        beside_s = start_s(head, seen.after, seen.after.running, seen.rules, answer_s)
        assert beside_s is not None and beside_s <= alone_s


def the_first_does_not_wait_for_what_is_free(seen: Pass) -> None:
    for first in possible(seen.after)[:1]:
        free = seen.after.cpus - held(seen.after)
        mem_mb = seen.after.mem_mb - sum(job.mem_mb for job in seen.after.running)
        assert first.cpus > free or first.mem_mb > mem_mb


def nobody_grows_while_somebody_waits(seen: Pass) -> None:
    if possible(seen.after):
        assert all(change < 0 for _, change in changes(seen))


def nobody_shrinks_for_nobody(seen: Pass) -> None:
    if not possible(seen.after):
        assert all(change > 0 for _, change in changes(seen))


def nobody_grows_at_the_threshold(seen: Pass) -> None:
    """Of the CPUs that are handed out, the last one too was handed out below it."""
    if any(change > 0 for _, change in changes(seen)):
        assert 100 * (held(seen.after) - 1) / seen.after.cpus < seen.rules.threshold_percent


def growth_stops_only_for_a_reason(world: World, seen: Pass) -> None:
    """The threshold, the end of the CPUs, or nobody left to grow."""
    if possible(seen.after) or not seen.rules.elastic or held(seen.after) == seen.after.cpus:
        return
    if 100 * held(seen.after) / seen.after.cpus >= seen.rules.threshold_percent:
        return
    grown = {job.id for job, _ in changes(seen)}
    ran = {job.id for job in seen.before.running}
    for job in seen.after.running:
        if job.id in ran and job.is_elastic and not job.is_ending and job.target_cpus == job.cpus < job.max_cpus:
            assert job.id not in grown
            assert world.now_s - world.resizes[job.id][-1] < seen.rules.cooldown_s


def nobody_grows_within_its_cooldown(world: World, seen: Pass) -> None:
    for job, change in changes(seen):
        earlier = world.resizes[job.id][:-1]
        if change > 0 and earlier:
            assert world.now_s - earlier[-1] >= seen.rules.cooldown_s


def asked_again_nobody_gives_more(seen: Pass) -> None:
    again = decide(seen.after, seen.rules)
    running = {job.id: job.cpus for job in seen.after.running}
    assert all(isinstance(act, Start) or act.cpus > running[act.id] for act in again)


OF_A_PASS = (
    no_more_is_promised_than_exists,
    nobody_is_below_its_minimum_or_above_its_maximum,
    each_job_is_told_at_most_one_thing,
    only_elastic_jobs_that_stay_and_have_let_go_are_resized,
    a_higher_one_is_served_by_shrinking_lower_ones,
    nobody_gives_more_than_is_missing,
    the_lowest_give_first,
    lower_ones_never_shrink_higher_ones,
    backfill_never_delays_the_head,
    the_first_does_not_wait_for_what_is_free,
    nobody_grows_while_somebody_waits,
    nobody_shrinks_for_nobody,
    nobody_grows_at_the_threshold,
    asked_again_nobody_gives_more,
)
OF_THE_WORLD = (growth_stops_only_for_a_reason, nobody_grows_within_its_cooldown)
