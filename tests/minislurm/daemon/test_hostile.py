"""Jobs, clients and people that spoil what they can reach: the scheduler goes on, and no job runs twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from perfdb.errors import MiniSlurmError
from perfdb.minislurm import client, process
from perfdb.minislurm.states import State
from tests.disks import SmallDisk, small_disk
from tests.minislurm.daemon.running import House, house, request, until

__all__ = ["house", "small_disk"]

_JOURNAL = "$MINI_SLURM_HOME/.mini_slurm_run/job_$MINI_SLURM_JOB_ID.1.journal"


@pytest.mark.parametrize(
    ("field", "value"),
    [("env", []), ("env", "x"), ("limit_s", 10**400), ("limit_s", 10**19)],
)
def test_a_submission_of_the_wrong_kind_is_refused_and_nobody_else_notices(
    house: House, field: str, value: Any
) -> None:
    house.start()
    fields = asdict(request("true")) | {field: value}

    with _connected(house) as connection:
        connection.sendall(json.dumps({"do": "submit", "request": fields}).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())

    assert "does not understand" in answer["error"]
    assert house.ended(house.submit("true")).state == "COMPLETED"


@pytest.mark.parametrize("name", ["job_1.answer", "job_9.1.journal", "job_9.answer"])
def test_a_folder_in_the_place_of_a_file_keeps_no_daemon_from_starting(house: House, name: str) -> None:
    house.start()
    house.ended(house.submit("sh", "-c", f"mkdir $MINI_SLURM_HOME/.mini_slurm_run/{name}", min_cpus=1, max_cpus=2))
    house.stop()

    house.start()

    assert house.ended(house.submit("true")).state == "COMPLETED"


@pytest.mark.parametrize("make", ["mkfifo", "mkdir"])
def test_a_job_that_puts_something_else_in_its_journals_place_is_not_run_again(house: House, make: str) -> None:
    house.start()

    id = house.submit("sh", "-c", f"rm {_JOURNAL}; {make} {_JOURNAL}")

    assert house.ended(id).state == "NODE_FAIL"
    assert house.job(id).attempt == 1
    assert house.ended(house.submit("true")).state == "COMPLETED"


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"exit","why":"exited","code":"x","signal":null,"ns":1,"at":1}',
        '{"event":"exit","why":"exited","code":0,"signal":null,"ns":1,"at":[]}',
        '{"event":"exit","why":"exited","code":0,"signal":null,"ns":%s,"at":1}' % ("9" * 400),
        '{"event":"exit","why":"exited","code":0,"signal":null,"ns":1,"at":NaN}',
    ],
)
def test_a_line_in_a_journal_that_no_supervisor_writes_is_as_good_as_none(house: House, line: str) -> None:
    house.start()

    id = house.submit("sh", "-c", f"echo '{line}' >> {_JOURNAL}; kill -9 $PPID; sleep 1000")

    assert house.ended(id).state == "NODE_FAIL"
    assert house.ended(house.submit("true")).state == "COMPLETED"


def test_a_pipe_in_the_place_of_an_answer_is_no_answer_and_nobody_waits_at_it(house: House) -> None:
    house.start(threshold_percent=100)
    line = "mkfifo $MINI_SLURM_ANSWER_FILE; until grep -q CPUS=2 $MINI_SLURM_CONTROL_FILE; do sleep 0.01; done"

    id = house.submit("sh", "-c", line, min_cpus=1, max_cpus=2)

    assert house.ended(id).state == "COMPLETED"


def test_more_clients_than_a_shell_allows_descriptors_keep_nobody_from_being_served(house: House) -> None:
    house.start(descriptors=64)
    clients = []
    for _ in range(90):
        one = _connected(house)
        one.sendall(b'{"do": "wait", "ids": [1]}\n')
        clients.append(one)

    id = house.submit("sh", "-c", "ulimit -n")

    assert house.ended(id).state == "COMPLETED"
    assert house.places.stdout(id).read_text() == "64\n"
    for one in clients:
        one.close()


def test_a_fork_server_that_was_stopped_keeps_the_daemon_from_no_end(house: House) -> None:
    daemon = house.start()
    server = process.children(daemon.pid)[0]
    os.kill(server, signal.SIGSTOP)
    id = house.submit("true")
    until(lambda: house.job(id).state == State.RUNNING, "it has its CPU")

    assert house.stop() == 0

    assert process.start_ticks(server) is None
    house.start()
    assert house.ended(id).state == "COMPLETED"


def test_a_program_that_goes_on_without_its_first_thread_is_ended_too(house: House) -> None:
    house.start(grace_s=0.2)
    # The first thread leaves by the system call of that name, 60 or 93; Python would end all of them.
    code = (
        "import ctypes, os, signal, threading, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "threading.Thread(target=time.sleep, args=(1000,)).start()\n"
        "ctypes.CDLL(None).syscall({'x86_64': 60, 'aarch64': 93}[os.uname().machine], 0)"
    )
    id = house.submit(sys.executable, "-c", code)
    house.started(id)
    said = house.journal(id)
    assert said and said.started
    stat = Path(f"/proc/{said.started.pid}/stat")
    until(lambda: b") Z " in stat.read_bytes(), "its first thread ends")

    client.cancel(house.places, [id])

    assert house.ended(id).state == "CANCELLED"


def test_where_somebody_removed_the_journals_a_job_that_may_have_run_is_not_run_again(house: House) -> None:
    house.start(cpus=1)
    ran = house.places.home / "ran"
    id = house.submit("sh", "-c", f"echo x >> {ran}; sleep 1000")
    until(ran.exists, "it runs")
    shutil.rmtree(house.places.run)

    second = house.start(wait=False)
    assert second.wait() == 1
    house._started[0].kill()
    house._started[0].wait()
    house.start(cpus=1)

    assert house.ended(id).state == "NODE_FAIL"
    assert ran.read_text() == "x\n"
    assert house.ended(house.submit("true")).state == "COMPLETED"


def test_a_job_of_a_database_that_was_removed_shares_its_number_with_nobody(house: House) -> None:
    house.start()
    old = house.submit("sh", "-c", "until test -e go; do sleep 0.01; done; echo old")
    house.started(old)
    house.stop()
    for path in house.places.home.glob(".mini_slurm.db*"):
        path.unlink()

    house.start()
    new = house.submit("echo", "new")

    assert house.ended(new).state == "COMPLETED"
    (house.places.home / "go").touch()
    until(lambda: house.places.stdout(old).read_text() == "old\n", "the old one ends")
    assert new == old + 1
    assert house.places.stdout(new).read_text() == "new\n"


def test_many_who_ask_while_the_disk_is_full_do_not_make_it_try_more_often(
    tmp_path: Path, small_disk: Callable[[int], SmallDisk]
) -> None:
    disk = small_disk(4)
    house = House(disk.path / "home")
    house.places.home.mkdir()
    daemon = house.start()
    disk.fill()
    try:
        for _ in range(60):
            with pytest.raises(MiniSlurmError, match="make room"):
                house.submit("true", env={"PATH": "x" * 100_000})
        before = _tries(daemon.pid)
        time.sleep(2)  # two rounds of one try a second, where each who asked would have had one of its own: 120 tries
        assert 0 < _tries(daemon.pid) - before < 40
    finally:
        disk.free(2 << 20)
        house.close()


def _tries(pid: int) -> int:
    """Voluntary switches of the daemon's first thread: it sleeps after each try."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("voluntary_ctxt_switches"):
            return int(line.split()[1])
    raise AssertionError(pid)


def _connected(house: House) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    connection.connect(str(house.places.socket))
    return connection
