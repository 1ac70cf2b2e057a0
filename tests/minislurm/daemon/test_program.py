"""A daemon from end to end: what is submitted runs, once, and is told of."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

from perfdb.minislurm import client
from perfdb.minislurm.states import State
from perfdb.minislurm.store.reading import Reader
from tests.minislurm.daemon.running import House, house, until

__all__ = ["house"]


def test_a_job_runs_where_it_was_submitted_with_what_it_needs_to_know(house: House) -> None:
    house.start()

    id = house.submit(
        "sh",
        "-c",
        "pwd; echo $MINI_SLURM_JOB_ID $MINI_SLURM_CPUS $MINI_SLURM_MEM_MB $WORD [$MINI_SLURM_ARRAY_TASK_ID] >&2",
        env={"PATH": "/usr/bin:/bin", "WORD": "hello", "MINI_SLURM_ARRAY_TASK_ID": "of another job"},
    )

    assert house.ended(id).state == "COMPLETED"
    assert f"{house.places.home}\n" == house.places.stdout(id).read_text()
    assert f"{id} 1 64 hello []\n" == house.places.stderr(id).read_text()


def test_how_a_job_ended_is_told_and_kept(house: House) -> None:
    house.start()

    failed, killed, missing = (
        house.submit("sh", "-c", "exit 3"),
        house.submit("sh", "-c", "kill -9 $$"),
        house.submit("/no/such"),
    )
    ends = house.wait([failed, killed, missing])

    assert _told(ends[failed]) == ("FAILED", 3, None, "exit code 3")
    assert _told(ends[killed]) == ("FAILED", None, 9, "ended by SIGKILL")
    assert ends[missing].state == "FAILED" and "No such file" in ends[missing].reason
    assert (house.job(failed).state, house.job(failed).exit_code) == (State.FAILED, 3)


def test_an_arrays_tasks_have_ids_without_a_gap_and_an_index_each(house: House) -> None:
    house.start()

    ids = house.submit_all("sh", "-c", "echo $MINI_SLURM_ARRAY_JOB_ID $MINI_SLURM_ARRAY_TASK_ID", array=(3, 5, 9))

    house.wait(ids)
    assert [house.places.stdout(id).read_text().strip() for id in (1, 2, 3)] == ["1 3", "1 5", "1 9"]
    with Reader(house.places) as reader:
        assert [job.id for job in reader.tasks(1)] == [1, 2, 3]
        assert getattr(reader.task(1, 5), "id", None) == 2


def test_a_higher_priority_starts_first(house: House) -> None:
    house.start(cpus=1)
    first = house.submit("sleep", "0.3")
    low, high = house.submit("true"), house.submit("true", priority=5)

    house.wait([first, low, high])

    assert (house.job(high).started_ns or 0) < (house.job(low).started_ns or 0)


def test_a_running_job_is_cancelled_and_so_is_a_waiting_one(house: House) -> None:
    house.start(cpus=1, grace_s=0.2)
    running = house.submit("sh", "-c", "trap '' TERM; sleep 1000; sleep 1000")
    waiting = house.submit("true")
    house.started(running)

    assert {running: "ending", waiting: "cancelled", 99: "unknown"} == client.cancel(
        house.places, [running, waiting, 99]
    )

    assert {"CANCELLED"} == {one.state for one in house.wait([running, waiting]).values()}
    assert {running: "ended"} == client.cancel(house.places, [running])


def test_a_second_daemon_is_refused_and_told_the_first_ones_process(house: House) -> None:
    first = house.start()

    second = house.start(wait=False)

    assert second.wait() == 1
    assert f"process id {first.pid}" in house.said()
    assert first.pid == client.is_running(house.places)


def test_a_daemon_that_is_told_to_end_leaves_jobs_running_and_its_lock_free(house: House) -> None:
    house.start()
    id = house.submit("sleep", "1")
    house.started(id)

    assert house.stop() == 0

    assert house.job(id).state == State.RUNNING
    assert client.is_running(house.places) is None
    house.start()
    assert house.ended(id).state == "COMPLETED"
    assert house.job(id).attempt == 1


def test_a_job_that_ended_while_no_daemon_ran_is_accounted_by_the_next(house: House) -> None:
    house.start()
    id = house.submit("sh", "-c", "sleep 0.3; exit 7")
    house.started(id)
    house.stop()
    until(lambda: (said := house.journal(id)) and said.exit, "its supervisor writes its end")

    house.start()

    assert _told(house.ended(id)) == ("FAILED", 7, None, "exit code 7")
    until(lambda: not list(house.places.run.glob("job_*")), "what is of no more use is removed")


def test_other_rules_are_for_jobs_that_run_too(house: House) -> None:
    house.start(elastic=False)
    id = house.submit("sleep", "1000", min_cpus=1, max_cpus=4)
    house.started(id)
    house.stop()

    house.start(elastic=True, threshold_percent=100)

    until(lambda: house.job(id).current_cpus == 4, "it grows")
    client.cancel(house.places, [id])
    assert house.ended(id).state == "CANCELLED"


def test_what_is_kept_is_for_its_owner_alone(house: House) -> None:
    house.start()
    house.ended(house.submit("true"))

    places = house.places
    for path in (places.database, places.lock, places.socket, places.hints):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert 0o700 == stat.S_IMODE(places.run.stat().st_mode) == stat.S_IMODE(places.logs.stat().st_mode)


def test_waiting_ends_at_its_time_with_what_has_ended(house: House) -> None:
    house.start()
    short, long = house.submit("true"), house.submit("sleep", "1000")

    told: list[int] = []
    ended = client.wait(house.places, [short, long, 99], 1.0, lambda one: told.append(one.id))

    assert [short] == list(ended) == told


def test_whoever_sends_garbage_is_told_so_and_nobody_else_notices(house: House) -> None:
    house.start()
    asked = [
        b"\n",
        b"garbage\n",
        b"[1]\n",
        b'{"do": "dance"}\n',
        b'{"do": "wait", "ids": [1e99]}\n',
        b"\xff\x00\n",
        b"[" * 100_000 + b"\n",
    ]
    asked += [json.dumps({"do": "submit", "request": {"argv": [1]}}).encode() + b"\n"]

    for line in asked:
        with _connected(house) as connection:
            connection.sendall(line)
            answer = json.loads(connection.makefile().readline())
            assert "error" in answer, line
    with _connected(house) as slow, _connected(house) as half, _connected(house) as hasty, _connected(house) as huge:
        slow.sendall(b'{"do": ')
        half.sendall(b'{"do": "wait"')
        half.shutdown(socket.SHUT_WR)
        hasty.sendall(b'{"do": "wait", "ids": [1]}\n')
        hasty.close()
        with huge.makefile("wb") as stream:
            try:
                for _ in range(40):
                    stream.write(b"x" * (1 << 20))
            except OSError:
                pass
        hints = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with hints:
            for hint in (b"", b"\xff", b"{}", b'{"job": 1e999}', b'{"job": 77}', b"[" * 60_000):
                hints.sendto(hint, str(house.places.hints))
        assert house.ended(house.submit("true")).state == "COMPLETED"


def test_a_daemon_that_nobody_can_listen_to_any_more_goes_on(house: House) -> None:
    environment = {**os.environ, "MINI_SLURM_HOME": str(house.places.home), "PYTHONPATH": str(Path.cwd())}
    with Path("/dev/full").open("w") as full:
        daemon = subprocess.Popen(
            [sys.executable, "-P", "-u", "-m", "tests.minislurm.daemon.serving", "{}"], env=environment, stdout=full
        )
    try:
        until(lambda: client.is_running(house.places) or daemon.poll() is not None, "it listens")
        assert house.ended(house.submit("true")).state == "COMPLETED"
    finally:
        daemon.kill()
        daemon.wait()


def test_an_interrupt_ends_it_in_good_order(house: House) -> None:
    daemon = house.start()

    daemon.send_signal(signal.SIGINT)

    assert daemon.wait() == 0


def _told(one: client.Ended) -> tuple[str, int | None, int | None, str]:
    return one.state, one.exit_code, one.signal, one.reason


def _connected(house: House) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(30)
    connection.connect(str(house.places.socket))
    return connection
