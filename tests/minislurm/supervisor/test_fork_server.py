"""The fork server and the daemon's end of it: what runs, what runs on, and what nobody inherits."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.minislurm import process
from perfdb.minislurm.supervisor import journal
from tests.minislurm.supervisor.running import Running, cgroups, until


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path) as found:
        yield found


def _descriptors(pid: int) -> dict[int, str]:
    return {int(each.name): str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}


def test_an_attempt_whose_journal_is_there_already_is_not_run(running: Running) -> None:
    ran = running.folder / "ran"
    order = running.order("touch", str(ran))
    Path(order.journal).write_text('{"event": "fenced"}\n')
    running.start(order)
    running.until_over()
    assert journal.Journal(is_fenced=True) == running.journal(order)
    assert not ran.exists()


def test_of_two_orders_for_one_attempt_one_is_run(running: Running) -> None:
    ran = running.folder / "ran"
    first = running.order("sh", "-c", f"echo ran >> {ran}")
    second = running.order("sh", "-c", f"echo ran >> {ran}", journal=first.journal)
    running.launcher.send(first, second)
    running.start(running.order("true"))
    running.until_over()
    assert running.journal(first).exit
    assert ran.read_text() == "ran\n"


def test_neither_supervisor_nor_job_inherits_what_the_daemon_has_open(running: Running) -> None:
    lock = os.open(running.folder / "lock", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(lock, True)
    try:
        order = running.order("sleep", "1000")
        supervisor = running.start(order)
        job = running.until_started(order)
        assert {0: "/dev/null", 1: order.stdout, 2: order.stderr} == _descriptors(job)
        files = set(_descriptors(supervisor.pid).values())
    finally:
        os.close(lock)
    sockets = {place for place in files if place.startswith("socket:")}
    named = {place for place in files if place.startswith("/") and "cgroup" not in place}
    assert (set(), {"/dev/null", str(running.folder / "log"), order.journal}) == (
        sockets,
        named - {f"{order.journal}.{supervisor.pid} (deleted)"} | {order.journal},
    )
    os.kill(supervisor.pid, signal.SIGTERM)


def test_an_environment_of_a_megabyte_arrives(running: Running) -> None:
    env = {"PATH": os.environ["PATH"]} | {f"LONG_{n}": "x" * 100_000 for n in range(10)}
    order = running.order("sh", "-c", "echo ${#LONG_9}", env=env)
    running.start(order)
    running.wait(order)
    assert Path(order.stdout).read_text() == "100000\n"


def test_bytes_that_are_no_text_arrive_as_they_were(running: Running) -> None:
    word = os.fsdecode(b"\xff\xfe")
    order = running.order("printf", "%s", word, env={"PATH": os.environ["PATH"], "ODD": word})
    running.start(order)
    running.wait(order)
    assert Path(order.stdout).read_bytes() == b"\xff\xfe"


def test_supervisors_live_on_when_the_fork_server_is_killed(running: Running) -> None:
    go = running.folder / "go"
    order = running.order("sh", "-c", f"while [ ! -e {go} ]; do sleep 0.01; done; exit 4")
    running.start(order)
    os.kill(running.launcher.pid, signal.SIGKILL)
    until(lambda: running.launcher.received() == [] and running.launcher.is_lost)
    go.touch()
    assert running.wait(order).code == 4


def test_an_order_that_a_lost_fork_server_did_not_answer_is_known(running: Running) -> None:
    running.run("true")
    assert running.launcher.unanswered == []
    os.kill(running.launcher.pid, signal.SIGSTOP)
    order = running.order("true")
    running.launcher.send(order)
    os.kill(running.launcher.pid, signal.SIGKILL)
    until(lambda: running.launcher.received() == [] and running.launcher.is_lost)
    assert [(order.job, 1)] == running.launcher.unanswered


def test_supervisors_live_on_when_the_daemon_closes(running: Running) -> None:
    go = running.folder / "go"
    order = running.order("sh", "-c", f"while [ ! -e {go} ]; do sleep 0.01; done; exit 4")
    running.start(order)
    running.launcher.close()
    go.touch()
    assert running.wait(order).code == 4


def test_a_supervisor_that_was_ended_before_it_had_an_order_is_given_none(running: Running) -> None:
    running.run("true")
    spares = until(lambda: process.children(running.launcher.pid))
    for spare in spares:
        os.kill(spare, signal.SIGKILL)
    until(lambda: not set(spares) & set(process.children(running.launcher.pid)))
    assert [running.run("true").code for _ in range(len(spares) + 1)] == [0] * (len(spares) + 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_supervisors_without_an_order_end_with_the_fork_server(running: Running, number: int) -> None:
    running.run("true")
    spares = until(lambda: process.children(running.launcher.pid))
    os.kill(running.launcher.pid, number)
    until(lambda: all(process.start_ticks(spare) is None for spare in spares))


def test_the_job_of_a_supervisor_that_was_killed_is_ended(running: Running) -> None:
    order = running.order("sh", "-c", "sleep 1000 & exec sleep 1000")
    supervisor = running.start(order)
    pid = running.until_started(order)
    below = until(lambda: len(found := process.descendants(supervisor.pid)) == 2 and found)
    assert below
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: process.start_ticks(pid) is None and all(process.start_ticks(each) is None for each in below))
    assert running.journal(order).exit is None
    until(lambda: cgroups(order.group) == [])


def test_a_job_gets_no_signal_that_its_scheduler_ignores(running: Running) -> None:
    order = running.order("grep", "-E", "SigIgn|SigBlk", "/proc/self/status")
    running.start(order)
    running.wait(order)
    masks = [int(line.split()[1], 16) for line in Path(order.stdout).read_text().splitlines()]
    # The C library keeps 32 and 33 for its threads.
    assert [mask & ~(0b11 << 31) for mask in masks] == [0, 0]
