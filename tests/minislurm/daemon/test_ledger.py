"""Who waits and who was promised what."""

from __future__ import annotations

from perfdb.minislurm.daemon.ledger import Ledger
from perfdb.minislurm.policy.cluster import Waiting
from perfdb.minislurm.store.promise import Promise


def test_jobs_are_queued_by_priority_and_then_as_they_came() -> None:
    ledger = Ledger((0, 1), [], {})
    ledger.queue([_job(1), _job(2)])
    ledger.queue([_job(3, priority=5)])
    ledger.queue([_job(4), _job(5)])
    ledger.queue([_job(6, priority=5)])
    ledger.take_out([2])
    ledger.queue([_job(2)])

    assert [job.id for job in ledger.waiting] == [3, 6, 1, 2, 4, 5]


def test_what_is_taken_out_is_what_waited() -> None:
    ledger = Ledger((0, 1), [_job(id) for id in range(1, 6)], {})

    assert [job.id for job in ledger.take_out([4, 2, 77])] == [2, 4]
    assert [job.id for job in ledger.waiting] == [1, 3, 5]


def test_a_cpu_that_is_promised_is_not_free_even_where_it_is_no_more_offered() -> None:
    ledger = Ledger((0, 1, 2), [], {1: _promise(1, (1, 7))})

    assert ledger.free_cpus() == [0, 2]
    assert ledger.promised_cpus == 2


def test_a_copy_that_changes_leaves_the_original() -> None:
    ledger = Ledger((0, 1), [_job(1)], {2: _promise(2, (0,))})
    copy = ledger.copy()
    copy.take_out([1])
    del copy.promises[2]

    assert [job.id for job in ledger.waiting] == [1]
    assert list(ledger.promises) == [2]


def _job(id: int, priority: int = 0) -> Waiting:
    return Waiting(id, priority, 1, 1, 1, 64, None, False)


def _promise(id: int, cpu_ids: tuple[int, ...]) -> Promise:
    return Promise(id, 0, 1, 1, 64, None, False, 1, cpu_ids, len(cpu_ids), 0, 0, "boot", "none")
