"""Single passes over clusters that are full of what is rare on an ordinary day: seeded, dense, of eight CPUs."""

from __future__ import annotations

from collections import Counter
from random import Random

from perfdb.minislurm.policy.cluster import Resize, Rules, Running, Waiting
from tests.minislurm.policy import checks
from tests.minislurm.policy.world import Arrival, Pass, World

CLUSTERS = 10_000
CPUS, MEMORY_MB = 8, 20


def running(random: Random, id: int, free: int) -> Running:
    """A job that holds some of `free` CPUs: often elastic, sometimes with a resize under way."""
    cpus = random.randint(1, min(free, 5))
    is_elastic = random.random() < 0.7
    low = random.randint(1, cpus) if is_elastic else cpus
    target = random.randint(low, cpus) if random.random() < 0.3 else cpus
    return Running(
        id=id,
        priority=random.randint(0, 2),
        cpus=cpus,
        target_cpus=target,
        min_cpus=low,
        max_cpus=random.randint(cpus, CPUS) if is_elastic else cpus,
        mem_mb=random.choice([0, 1, 2, 4]),
        is_elastic=is_elastic,
        ends_by_s=random.choice([None, *range(1, 13)]),
        resized_s=random.choice([0.0, -1.0, -4.0]) if target < cpus else random.choice([None, -3.0, -20.0]),
        is_ending=random.random() < 0.1,
    )


def waiting(random: Random, id: int) -> Waiting:
    """A job that wants anything up to the whole machine."""
    cpus = random.choice([random.randint(1, CPUS), random.randint(1, 3)])
    is_elastic = random.random() < 0.5
    return Waiting(
        id=id,
        priority=random.randint(0, 3),
        cpus=cpus,
        min_cpus=random.randint(1, cpus) if is_elastic else cpus,
        max_cpus=random.randint(cpus, CPUS) if is_elastic else cpus,
        mem_mb=random.choice([0, 1, 2, 8]),
        limit_s=random.choice([None, None, *range(1, 13)]),
        is_elastic=is_elastic,
    )


def snapshot(random: Random, seen: list[Pass]) -> World:
    """A cluster with some running and some waiting; its passes go to `seen`."""
    rules = Rules(
        elastic=random.random() < 0.9,
        threshold_percent=random.choice([50.0, 80.0, 100.0]),
        cooldown_s=random.choice([0.0, 10.0]),
        release_s=random.choice([1.0, 3.0, 5.0]),
    )
    world = World(CPUS, MEMORY_MB, rules, lambda _, one: seen.append(one))
    free = CPUS - random.choice([0, 0, 1, 2, 3])
    while free > 0 and len(world.running) < 5:
        job = running(random, len(world.running) + 1, free)
        free -= job.cpus
        world.running[job.id] = job
        world.resizes[job.id] = [] if job.resized_s is None else [job.resized_s]
    for id in range(10, 10 + random.randint(0, 5)):
        world.waiting[id] = waiting(random, id)
        world.arrivals[id] = Arrival(world.waiting[id], runs_s=100.0, answers_s=None)
    for id in world.running:
        world.arrivals[id] = Arrival(waiting(random, id), runs_s=100.0, answers_s=None)
    return world


def test_every_pass_over_any_cluster_keeps_what_must_hold():
    counts: Counter[str] = Counter()
    for seed in range(CLUSTERS):
        seen: list[Pass] = []
        world = snapshot(Random(seed), seen)
        world.decide()
        for one in seen:
            for holds in checks.OF_A_PASS:
                try:
                    holds(one)
                except AssertionError as broken:
                    broken.add_note(f"cluster {seed}: {one}")
                    raise
            counts["resized"] += any(isinstance(act, Resize) for act in one.actions)
            counts["backfilled"] += bool(checks.backfilled(one))

    assert min(counts["resized"], counts["backfilled"]) > CLUSTERS / 100
