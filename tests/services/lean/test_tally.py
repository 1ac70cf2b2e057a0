"""What the workers count together."""

from __future__ import annotations

import os

from perfdb.services.lean.tally import Tally


def test_a_peak_is_the_most_that_all_workers_held_at_one_time():
    tally = Tally(2)
    for worker, by in ((0, 1), (0, 1), (0, -1), (1, 1), (1, 1), (0, -1)):  # 1, 2, 1, 2, 3, 2
        tally.mine(worker)
        tally.session(by)
    told = tally.told()
    assert (told["sessions_open"], told["sessions_peak"], told["sessions_total"]) == (2, 3, 4)


def test_workers_in_processes_of_their_own_are_counted_too():
    tally = Tally(2)
    pid = os.fork()
    if pid == 0:
        tally.mine(1)
        tally.step(1)
        os._exit(0)
    os.waitpid(pid, 0)
    tally.mine(0)
    tally.step(1)
    assert tally.told()["steps_peak"] == 2


def test_the_loop_that_was_latest_counts():
    tally = Tally(2)
    for worker, late_us in ((0, 30), (1, 50), (0, 40)):
        tally.mine(worker)
        tally.at_least("loop_late_max_us", late_us)
    assert tally.told()["loop_late_max_s"] == 50e-6


def test_a_reset_forgets_what_was_and_keeps_what_is():
    tally = Tally(1)
    for by in (1, 1, 1, -1):
        tally.session(by)
        tally.step(by)
    tally.reset()
    told = tally.told()
    assert (told["sessions_open"], told["sessions_peak"], told["sessions_total"]) == (2, 2, 0)
    assert (told["steps_in_flight"], told["steps_peak"], told["steps_total"]) == (2, 2, 0)
