"""When to look again although nothing happens. Nothing is due: nobody wakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from perfdb.minislurm.daemon.ledger import Ledger
from perfdb.minislurm.policy.cluster import Rules
from perfdb.minislurm.store.promise import Promise

# One that was just begun can be resized in a moment, and nobody will tell us.
_SOONEST_NS = 5_000_000
_LATEST_NS = 1_000_000_000


def release_ns(promise: Promise, rules: Rules) -> int:
    """When a job that is being shrunk must have let go; CLOCK_MONOTONIC."""
    return (promise.resized_ns or 0) + round(rules.release_s * 1e9)


def next_ns(ledger: Ledger, rules: Rules, now_ns: int, is_resizable: Callable[[Promise], bool]) -> int | None:
    """The next instant at which something may be done that cannot be now; None where only news can change that."""
    return min(_due(ledger, rules, now_ns, is_resizable), default=None)


def _due(ledger: Ledger, rules: Rules, now_ns: int, is_resizable: Callable[[Promise], bool]) -> Iterator[int]:
    may_grow = rules.elastic and not ledger.waiting
    may_grow &= 100 * ledger.promised_cpus < rules.threshold_percent * len(ledger.cpu_ids)
    for job in ledger.promises.values():
        if job.is_letting_go:
            # Over already: its CPUs could not be taken, which is tried again.
            yield due_ns if (due_ns := release_ns(job, rules)) > now_ns else now_ns + _LATEST_NS
        if not job.is_elastic or job.is_cancelled or job.min_cpus == job.max_cpus:
            continue
        if not is_resizable(job):
            # Ever more seldom.
            yield now_ns + max(_SOONEST_NS, min(_LATEST_NS, (now_ns - job.allocated_ns) // 2))
        elif may_grow and job.cpus < job.max_cpus and job.resized_ns is not None:
            cooled_ns = job.resized_ns + round(rules.cooldown_s * 1e9)
            if cooled_ns > now_ns:
                yield cooled_ns
