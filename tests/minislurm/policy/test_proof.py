"""The policy under a fake clock and random job mixes; `checks` says what must hold, and this that it was put to the test."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from perfdb.minislurm.policy.cluster import Resize, Rules, Waiting
from tests.minislurm.policy import checks
from tests.minislurm.policy.oracle import start_s
from tests.minislurm.policy.world import Arrival, Pass, World

MEMORY_MB = 100
STEPS_A_RUN = 50

rules = st.builds(
    Rules,
    elastic=st.sampled_from([True, True, True, False]),
    threshold_percent=st.sampled_from([0.0, 33.3, 50.0, 80.0, 100.0, 100.0]),
    cooldown_s=st.sampled_from([0.0, 2.5, 10.0, 60.0]),
    release_s=st.sampled_from([0.25, 5.0, 20.0]),
)
waits_s = st.sampled_from([0.25, 1.0, 4.0, 5.0, 20.0, 100.0])


@st.composite
def jobs(draw: st.DrawFn, cpus: int) -> Arrival:
    """Of any shape that `cpus` CPUs allow, and now and then wider: submitted to a daemon that offered more."""
    few = st.integers(1, min(cpus, 3))
    many = st.one_of(few, st.integers(1, cpus), st.just(cpus))
    is_elastic = draw(st.integers(0, 3)) > 0
    low, high = sorted((draw(few if is_elastic else many), draw(many)))
    wants = draw(st.sampled_from([low, high, high, (low + high) // 2])) if is_elastic else low
    if draw(st.integers(0, 30)) == 30:
        wants = high = cpus + 1
    return Arrival(
        Waiting(
            id=0,
            priority=draw(st.sampled_from([0, 1, 5, 10])),
            cpus=wants,
            min_cpus=low if is_elastic else wants,
            max_cpus=high if is_elastic else wants,
            mem_mb=draw(st.sampled_from([1, 1, 1, 1, 5, 30, MEMORY_MB])),
            limit_s=draw(st.sampled_from([None, 0.25, 2.0, 5.0, 10.0, 60.0])),
            is_elastic=is_elastic,
        ),
        runs_s=draw(st.sampled_from([0.25, 1.0, 5.0, 9.0, 30.0, 100.0, 300.0])),
        answers_s=draw(st.sampled_from([0.0, 0.25, 4.75, 30.0, None])),
    )


class Mix(RuleBasedStateMachine):
    """A day of a cluster."""

    counts: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.next_id = 1
        # Who is first in the queue, and when it starts at the latest.
        self.promise: tuple[int, float] | None = None

    @initialize(cpus=st.one_of(st.integers(1, 64), st.integers(2, 8)), rules=rules)
    def boots(self, cpus: int, rules: Rules) -> None:
        self.world = World(cpus, MEMORY_MB, rules, self._seen, counts=type(self).counts)

    @rule(data=st.data(), tasks=st.sampled_from([1, 1, 1, 1, 2, 7]))
    def somebody_submits(self, data: st.DataObject, tasks: int) -> None:
        self._step()
        self._submit(data.draw(jobs(self.world.cpus)), tasks)

    @precondition(lambda self: self.world.running)
    @rule(data=st.data())
    def somebody_submits_what_is_above_all_that_runs(self, data: st.DataObject) -> None:
        self._step()
        one = data.draw(jobs(self.world.cpus))
        priority = 1 + max(job.priority for job in self.world.running.values())
        self._submit(replace(one, job=replace(one.job, priority=priority)), tasks=1)

    @rule(wait_s=waits_s)
    def time_passes(self, wait_s: float) -> None:
        self._step()
        self.world.advance(self.world.now_s + wait_s)

    @precondition(lambda self: self.world.next_s is not None)
    @rule()
    def the_next_thing_happens(self) -> None:
        self._step()
        assert self.world.next_s is not None
        self.world.advance(self.world.next_s)

    @rule()
    def the_queue_empties(self) -> None:
        self._step()
        while checks.possible(self.world.cluster):
            assert self.world.next_s is not None
            self.world.advance(self.world.next_s)

    @precondition(lambda self: self.world.waiting or self.world.running)
    @rule(data=st.data())
    def somebody_cancels(self, data: st.DataObject) -> None:
        self._step()
        self.promise = None
        self.world.cancel(data.draw(st.sampled_from(sorted(self.world.waiting) + sorted(self.world.running))))

    @rule(rules=rules)
    def the_daemon_comes_back_with_other_rules(self, rules: Rules) -> None:
        self._step()
        self.promise = None
        self.world.rules = rules
        self.world.decide()

    @rule(wait_s=waits_s)
    def the_daemon_is_away(self, wait_s: float) -> None:
        self._step()
        self.promise = None
        self.world.black_out(self.world.now_s + wait_s)

    def teardown(self) -> None:
        """Every job ends, at the latest when they would have one after another, each after a full release."""
        if not hasattr(self, "world"):
            return
        world = self.world
        left = [world.arrivals[job.id] for job in checks.possible(world.cluster)]
        by_s = max(world.ends_s.values(), default=world.now_s) + sum(job.runs_s + world.rules.release_s for job in left)
        world.advance(by_s)
        assert not world.running
        assert not checks.possible(world.cluster)

    def _submit(self, one: Arrival, tasks: int) -> None:
        ids = range(self.next_id, self.next_id + tasks)
        self.next_id += tasks
        self.world.submit(*(replace(one, job=replace(one.job, id=id)) for id in ids))

    def _step(self) -> None:
        type(self).counts["steps"] += 1

    def _seen(self, world: World, seen: Pass) -> None:
        for holds in checks.OF_A_PASS:
            holds(seen)
        for holds_of in checks.OF_THE_WORLD:
            holds_of(world, seen)
        self._keeps_its_promise(seen)
        is_full = checks.held(seen.before) == seen.before.cpus
        for act in seen.actions:
            if isinstance(act, Resize):
                grows = act.cpus > next(job.cpus for job in seen.before.running if job.id == act.id)
                world.counts["grown" if grows else "shrunk on a full machine" if is_full else "shrunk"] += 1
        world.counts["backfilled"] += len(checks.backfilled(seen))

    def _keeps_its_promise(self, seen: Pass) -> None:
        """Once first in the queue, a job starts by when it could have then, whoever comes behind it."""
        queue = checks.possible(seen.before)
        if self.promise and queue and queue[0].id == self.promise[0]:
            assert seen.before.now_s <= self.promise[1]
            self.world.counts["promises looked at"] += 1
        else:
            self.promise = None
        for first in checks.possible(seen.after)[:1]:
            at_s = start_s(first, seen.after, seen.after.running, seen.rules, seen.rules.release_s)
            if self.promise and self.promise[0] == first.id:
                assert at_s is not None and at_s <= self.promise[1]
            self.promise = None if at_s is None else (first.id, at_s)


def prove(runs: int, *, always_the_same: bool = False) -> Counter[str]:
    """Play so many days; what happened in them."""
    machine = type("Mix", (Mix,), {"counts": Counter()})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            derandomize=always_the_same,
            stateful_step_count=STEPS_A_RUN,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return machine.counts


def test_every_promise_holds_over_ten_thousand_steps():
    # What is rare happens in these days; other ones are played by the drill, whose share is never the same.
    counts = prove(runs=260, always_the_same=True)

    assert counts["steps"] >= 10_000
    for what in ("ended", "grown", "shrunk", "shrunk on a full machine", "backfilled", "promises looked at"):
        assert counts[what] > 0, what


@pytest.mark.drill
def test_every_promise_holds_over_a_hundred_thousand_steps(drill_share: float):
    counts = prove(runs=round(2500 * drill_share))

    assert counts["steps"] >= 100_000 * drill_share
