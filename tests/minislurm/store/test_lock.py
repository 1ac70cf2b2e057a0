"""One writer."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from perfdb.errors import MiniSlurmError
from perfdb.minislurm.places import Places
from perfdb.minislurm.store.lock import WriterLock


def test_it_is_for_one_at_a_time(tmp_path: Path) -> None:
    with WriterLock(Places(tmp_path)) as second:
        with WriterLock(Places(tmp_path)) as first:
            assert first.try_take()
            assert not second.take(0.05)
        assert second.try_take()


def test_it_is_free_when_its_holder_is_killed_though_its_children_live(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys; from pathlib import Path; from perfdb.minislurm.places import Places\n"
        "from perfdb.minislurm.store.lock import WriterLock\n"
        "lock = WriterLock(Places(Path(sys.argv[1]))); assert lock.try_take()\n"
        "child = subprocess.Popen(['sleep', '1000'], close_fds=False)\n"
        "print(child.pid, flush=True); input()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    child = int(holder.stdout.readline())
    try:
        with WriterLock(Places(tmp_path)) as lock:
            assert not lock.try_take()
            holder.kill()
            holder.wait()
            assert lock.try_take()
    finally:
        subprocess.run(["kill", "-9", str(child)], check=True)
        holder.communicate()


@pytest.mark.parametrize("removed", ["lock", "database"])
def test_it_is_held_though_somebody_removes_one_of_its_files(tmp_path: Path, removed: str) -> None:
    places = Places(tmp_path)
    with WriterLock(places) as first:
        assert first.try_take()
        getattr(places, removed).unlink()

        with WriterLock(places) as second:
            assert not second.try_take()
    with WriterLock(places) as third:
        assert third.try_take()


def test_a_file_system_without_locks_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call is a double: every file system that can be mounted here has locks."""

    def flock(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with WriterLock(Places(tmp_path)) as lock, pytest.raises(MiniSlurmError, match="set MINI_SLURM_HOME"):
        lock.try_take()
