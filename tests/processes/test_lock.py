"""One at a time, and nobody waits for the dead."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from perfdb.errors import RegistryError
from perfdb.processes.identity import ProcessIdentity
from perfdb.processes.lock import FOREIGN_STALE_S, NAMELESS_STALE_S, Lock, LockTimeout

fork = multiprocessing.get_context("fork")


def _count(folder: Path, times: int) -> None:
    for _ in range(times):
        with Lock(folder / "lock", wait_s=60):
            number = int((folder / "count").read_text())
            time.sleep(0.0005)  # gives the others every chance to come between
            (folder / "count").write_text(str(number + 1))


def test_eight_processes_counting_lose_no_count(tmp_path):
    (tmp_path / "count").write_text("0")
    counters = [fork.Process(target=_count, args=(tmp_path, 10)) for _ in range(8)]
    for counter in counters:
        counter.start()
    for counter in counters:
        counter.join()
    assert (tmp_path / "count").read_text() == "80"
    assert [counter.exitcode for counter in counters] == [0] * 8
    assert not (tmp_path / "lock").exists()


def left_behind(folder: Path, owner: str | None, age_s: float = 0.0) -> Path:
    lock = folder / "lock"
    lock.mkdir()
    if owner is not None:
        (lock / "owner").write_text(owner)
    os.utime(lock, (time.time() - age_s, time.time() - age_s))
    return lock


MINE = ProcessIdentity.mine()
DEAD = replace(MINE, started=MINE.started - 100).to_json()
ELSEWHERE = replace(MINE, host="f" * 16).to_json()


@pytest.mark.parametrize(
    ("owner", "age_s"),
    [(DEAD, 0), (ELSEWHERE, FOREIGN_STALE_S + 1), (None, NAMELESS_STALE_S + 1), ("{", NAMELESS_STALE_S + 1)],
)
def test_a_lock_that_nobody_holds_any_more_is_taken_over(tmp_path, owner, age_s):
    path = left_behind(tmp_path, owner, age_s)
    with Lock(path, wait_s=0):
        assert ProcessIdentity.from_json((path / "owner").read_text()) == MINE
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("owner", "age_s"),
    [(MINE.to_json(), 1e6), (ELSEWHERE, FOREIGN_STALE_S - 60), (None, 0), ("{", 0)],
)
def test_a_lock_that_somebody_may_hold_is_respected(tmp_path, owner, age_s):
    path = left_behind(tmp_path, owner, age_s)
    with pytest.raises(LockTimeout, match=rf"held lock for 0 s\. .+ remove the folder {path}\."), Lock(path, wait_s=0):
        pass
    assert path.exists()


def _take_over(path: Path, inside: Path, start: object) -> None:
    start.wait(60)
    with Lock(path, wait_s=60):
        inside.mkdir()  # fails where another is inside
        time.sleep(0.002)
        inside.rmdir()


def test_a_dead_owners_lock_is_taken_over_by_one_at_a_time(tmp_path):
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = left_behind(folder, DEAD)
        start = fork.Event()
        takers = [fork.Process(target=_take_over, args=(path, folder / "inside", start)) for _ in range(8)]
        for taker in takers:
            taker.start()
        start.set()
        for taker in takers:
            taker.join()
        assert [taker.exitcode for taker in takers] == [0] * 8


def test_a_guard_left_by_a_crash_does_not_keep_the_lock_for_ever(tmp_path):
    path = left_behind(tmp_path, DEAD)
    guard = tmp_path / "lock.breaking"
    guard.mkdir()
    os.utime(guard, (1, 1))
    with Lock(path, wait_s=5):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_gives_the_lock_back(tmp_path):
    with pytest.raises(ZeroDivisionError), Lock(tmp_path / "lock", wait_s=0):
        _ = 1 / 0
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match=r"PERFDB_STATE_DIR"), Lock(tmp_path / "file" / "lock", wait_s=0):
        pass


def test_a_full_disk_is_told_and_leaves_no_lock(small_disk):
    disk = small_disk(1)
    disk.fill()
    told = r"No space left on device\. .+PERFDB_STATE_DIR"
    with pytest.raises(RegistryError, match=told), Lock(disk.path / "lock", wait_s=0):
        pass
    assert disk.files() == []
