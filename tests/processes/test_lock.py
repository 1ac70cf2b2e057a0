"""One at a time, and nobody waits for the dead."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from perfdb.errors import RegistryError
from perfdb.processes.identity import ProcessIdentity
from perfdb.processes.lock import DAMAGED_STALE_S, FOREIGN_STALE_S, NAMELESS_STALE_S, QUIET_S, Lock, LockTimeout

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
    [(DEAD, 0), (ELSEWHERE, FOREIGN_STALE_S + 1), (None, NAMELESS_STALE_S + 1), ("{", DAMAGED_STALE_S + 1)],
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


HOSTILE = [b"\xff", b"[" * 4000, MINE.to_json().replace(str(MINE.pid), "-1").encode(), b'{"pid": 1e999}']


@pytest.mark.parametrize("owner", HOSTILE)
def test_an_owner_that_is_none_is_waited_for_and_then_taken_over(tmp_path, owner):
    path = left_behind(tmp_path, "")
    (path / "owner").write_bytes(owner)
    with pytest.raises(LockTimeout), Lock(path, wait_s=0):
        pass
    os.utime(path, (1, 1))
    with Lock(path, wait_s=0):
        pass


def _a_link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def _a_link_to_a_folder(path: Path) -> None:
    left_behind(path.parent, DEAD).rename(path.parent / "elsewhere")
    path.symlink_to(path.parent / "elsewhere")


def _a_pipe_for_an_owner(path: Path) -> None:
    path.mkdir()
    os.mkfifo(path / "owner")


def _a_link_for_an_owner(path: Path) -> None:
    path.mkdir()
    (path / "owner").symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "plant", [Path.touch, os.mkfifo, _a_link, _a_link_to_a_folder, _a_pipe_for_an_owner, _a_link_for_an_owner]
)
def test_what_is_no_lock_is_told_and_left_alone(tmp_path, plant):
    path = tmp_path / "lock"
    plant(path)
    found = path.lstat()
    with pytest.raises(RegistryError, match=rf"^{path} lies where perfdb keeps a lock, and .*`ls -ld {path}`"):
        Lock(path, wait_s=30).__enter__()
    assert path.lstat() == found


def test_a_lock_whose_folder_cannot_be_read_is_told(tmp_path, monkeypatch):
    """Root can read all, so the system call is made to refuse."""
    path = left_behind(tmp_path, DEAD)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("perfdb.processes.lock.os.open", refuse)
    with pytest.raises(RegistryError, match=r"cannot be read: Permission denied\. Look"):
        Lock(path, wait_s=30).__enter__()


def test_a_lock_that_goes_while_it_is_looked_at_is_taken(tmp_path, monkeypatch):
    """As NFS tells it."""
    path = left_behind(tmp_path, MINE.to_json())

    def gone(*_, **__):
        monkeypatch.undo()
        shutil.rmtree(path)
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr("perfdb.processes.lock.os.open", gone)
    with Lock(path, wait_s=5):
        assert path.exists()


def test_a_dead_owners_lock_that_cannot_be_removed_is_waited_for_no_longer_than_was_asked(tmp_path):
    path = left_behind(tmp_path, DEAD)
    guard = tmp_path / "lock.breaking"
    guard.mkdir()
    (guard / "planted").touch()
    os.utime(guard, (1, 1))
    with pytest.raises(LockTimeout, match=r"left by a process that is gone, and could not be removed within 0\.2 s"):
        Lock(path, wait_s=0.2).__enter__()


def test_a_lock_that_is_planted_again_and_again_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    planted = []

    def quicker(lock):
        if not lock.path.exists():
            planted.append(left_behind(tmp_path, DEAD))
            assert len(planted) < 1000
        return False

    monkeypatch.setattr(Lock, "_take", quicker)
    with pytest.raises(LockTimeout):
        Lock(tmp_path / "lock", wait_s=0.2).__enter__()
    assert len(planted) > 2


def test_one_that_got_its_owner_at_the_last_moment_is_not_taken_away(tmp_path, monkeypatch):
    path = left_behind(tmp_path, None, NAMELESS_STALE_S + 1)
    lock = Lock(path, wait_s=0)

    def slow(folder: Path) -> None:
        (folder / "owner").write_text(MINE.to_json())
        folder.rmdir()

    monkeypatch.setattr("perfdb.processes.lock._remove", lambda f: slow(f) if f == path else f.rmdir())
    with pytest.raises(OSError, match="not empty"):
        lock.__enter__()
    assert (path / "owner").read_text() == MINE.to_json()


def test_who_was_too_slow_to_name_itself_does_not_hold_it(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    made = Path.mkdir

    def slow(folder, *args, **kwargs):
        made(folder, *args, **kwargs)
        if folder == path:  # meanwhile another found it nameless, removed it and took it
            (folder / "owner").write_text(MINE.to_json())

    monkeypatch.setattr(Path, "mkdir", slow)
    with pytest.raises(LockTimeout):
        Lock(path, wait_s=0).__enter__()
    assert (path / "owner").read_text() == MINE.to_json()


def test_who_waits_says_so_once(tmp_path):
    path = left_behind(tmp_path, MINE.to_json())
    told = []
    with pytest.raises(LockTimeout):
        Lock(path, wait_s=QUIET_S + 0.3, waits=lambda: told.append(1)).__enter__()
    assert told == [1]
    with pytest.raises(LockTimeout):
        Lock(path, wait_s=QUIET_S / 2, waits=lambda: told.append(2)).__enter__()
    assert told == [1]


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
