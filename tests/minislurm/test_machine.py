"""What this machine lets a process use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.minislurm import machine

PROGRAM = "from perfdb.minislurm import machine; here = machine.here(); print(*here.cpu_ids, here.mem_mb)"


def test_it_is_what_affinity_leaves() -> None:
    one = max(os.sched_getaffinity(0))

    said = subprocess.run(["taskset", "-c", str(one), sys.executable, "-c", PROGRAM], capture_output=True, check=True)

    assert said.stdout.split() == [str(one).encode(), str(machine.here().mem_mb).encode()]


@pytest.fixture
def cgroup() -> Iterator[dict[str, Path]]:
    """A cgroup of each controller, below our own; removed afterwards."""
    own = dict.fromkeys(("cpu", "memory"), Path())
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for name in set(names.split(",")) & set(own):
            own[name] = Path(f"/sys/fs/cgroup/{name}{path}/perfdb-test-{os.getpid()}")
    try:
        for folder in own.values():
            folder.mkdir()
    except OSError:
        pytest.skip("making cgroups of version 1 needs root, and a machine that has them")
    yield own
    for folder in own.values():
        folder.rmdir()


def test_it_is_what_cgroups_leave(cgroup: dict[str, Path]) -> None:
    (cgroup["memory"] / "memory.limit_in_bytes").write_text(str(300 << 20))
    (cgroup["cpu"] / "cpu.cfs_quota_us").write_text("50000")
    (cgroup["cpu"] / "cpu.cfs_period_us").write_text("100000")
    join = " && ".join(f"echo $$ > {folder}/cgroup.procs" for folder in cgroup.values())

    said = subprocess.run(
        ["sh", "-c", f'{join} && exec "$0" -c "$1"', sys.executable, PROGRAM], capture_output=True, check=True
    )

    # Half a CPU: still one that may be used.
    assert said.stdout.split() == [str(min(os.sched_getaffinity(0))).encode(), b"300"]
