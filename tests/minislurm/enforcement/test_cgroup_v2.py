"""cgroup v2's files. None can be had where these tests were written: a plain folder stands in for the mounted file system, and
shows what is written where, not what a kernel makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfdb.minislurm.enforcement.cgroup_v2 import DAEMON, CgroupV2, available, open_up
from perfdb.minislurm.enforcement.enforcement import Share

SHARE = Share("job", (3, 0), 512, 1)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """As a kernel shows a cgroup that was delegated, with one job's in it."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    for name in ("cgroup.subtree_control", "cgroup.procs"):
        (tmp_path / name).touch()
    job = tmp_path / "job"
    job.mkdir()
    for name in ("cpuset.cpus", "memory.max", "memory.swap.max", "memory.oom.group", "cgroup.procs"):
        (job / name).touch()
    (job / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 0\noom_kill 0\noom_group_kill 0\n")
    (job / "memory.peak").write_text("2097152\n")
    return tmp_path


def _written(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in folder.iterdir() if each.is_file()}


def test_a_job_gets_its_cpus_its_memory_and_no_swap_and_is_ended_as_a_whole(base: Path) -> None:
    CgroupV2(str(base), ("cpuset", "memory")).make(SHARE)
    written = _written(base / "job")
    assert tuple(written[name] for name in ("cpuset.cpus", "memory.max", "memory.swap.max", "memory.oom.group")) == (
        "0,3",
        "536870912",
        "0",
        "1",
    )


def test_a_kernel_without_swap_accounting_will_do(base: Path) -> None:
    (base / "job" / "memory.swap.max").unlink()
    CgroupV2(str(base), ("memory",)).make(SHARE)
    assert _written(base / "job")["memory.max"] == "536870912"


def test_a_controller_that_is_not_used_is_not_written(base: Path) -> None:
    CgroupV2(str(base), ("memory",)).make(SHARE)
    assert _written(base / "job")["cpuset.cpus"] == ""


def test_a_process_joins_by_itself_and_goes_back_to_where_the_daemon_is(base: Path) -> None:
    below = base / DAEMON
    below.mkdir()
    (below / "cgroup.procs").touch()
    means = CgroupV2(str(base), ("memory",))
    means.join(SHARE)
    assert ((base / "job" / "cgroup.procs").read_text(), (below / "cgroup.procs").read_text()) == ("0", "")
    means.leave()
    assert ((below / "cgroup.procs").read_text(), (base / "cgroup.procs").read_text()) == ("0", "")


def test_cpus_are_changed_while_it_runs(base: Path) -> None:
    assert CgroupV2(str(base), ("cpuset",)).set_cpus("job", [2, 1], supervisor_pid=1)
    assert _written(base / "job")["cpuset.cpus"] == "1,2"


def test_a_job_that_has_ended_has_no_cpus_to_change(base: Path) -> None:
    assert not CgroupV2(str(base), ("cpuset",)).set_cpus("gone", [2, 1], supervisor_pid=2**22 + 1)


def test_only_a_kill_for_memory_is_one(base: Path) -> None:
    watch = CgroupV2(str(base), ("memory",)).watch(SHARE)
    assert not watch.is_over()
    events = base / "job" / "memory.events"
    events.write_text(events.read_text().replace("oom_kill 0", "oom_kill 1"))
    assert watch.is_over()


def test_the_most_memory_is_told_in_kilobytes(base: Path) -> None:
    assert CgroupV2(str(base), ("memory",)).watch(SHARE).peak_kb() == 2048


def test_a_kernel_that_keeps_no_peak_has_none(base: Path) -> None:
    (base / "job" / "memory.peak").unlink()
    assert CgroupV2(str(base), ("memory",)).watch(SHARE).peak_kb() == 0


def test_what_was_delegated_is_what_is_asked_for(base: Path) -> None:
    assert {"cpuset", "memory"} == available(str(base))
    (base / "cgroup.controllers").write_text("memory pids\n")
    assert {"memory"} == available(str(base))
    open_up(str(base), available(str(base)))
    assert (base / "cgroup.subtree_control").read_text() == "+memory"
