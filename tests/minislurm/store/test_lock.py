"""One writer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
