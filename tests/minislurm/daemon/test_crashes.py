"""Whatever is killed, and whenever: each job runs exactly once, and what became of it is known."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from perfdb.errors import MiniSlurmError
from perfdb.minislurm import client, enforcement, process
from perfdb.minislurm.states import State
from perfdb.minislurm.store import loading
from perfdb.minislurm.store.database import open_to_write
from perfdb.minislurm.store.reading import Reader
from tests.disks import SmallDisk
from tests.minislurm.daemon.running import House, house, request, until

__all__ = ["house"]


@pytest.mark.drill
def test_a_daemon_killed_at_any_moment_loses_no_job_and_runs_none_twice(house: House, drill_share: float) -> None:
    kills = max(3, round(100 * drill_share))
    luck = random.Random(7)
    ran = house.places.home / "ran"
    ran.mkdir()
    expected: dict[int, int] = {}
    house.start()

    for kill in range(kills):
        for _ in range(4):
            code = luck.choice((0, 0, 1, 7))
            line = f"echo x >> {ran}/$MINI_SLURM_JOB_ID; sleep {luck.choice((0, 0.01, 0.05))}; exit {code}"
            elastic = {"min_cpus": 1, "max_cpus": 3} if luck.random() < 0.3 else {}
            ids = house.submit_all(
                "sh", "-c", line, cpus=luck.choice((1, 2)), array=tuple(range(luck.randint(1, 4))), **elastic
            )
            expected |= dict.fromkeys(ids, code)
        time.sleep(luck.random() * 0.1)
        house.kill()
        house.start(wait=kill % 2 == 0)
        if kill % 2:
            # While it is finding out what became of all of them.
            time.sleep(luck.random() * 0.5)
            house.kill()
            house.start()

    ended = house.wait(list(expected))
    assert {id: (one.state, one.exit_code) for id, one in ended.items()} == {
        id: ("FAILED" if code else "COMPLETED", code) for id, code in expected.items()
    }
    assert {int(path.name): path.read_text() for path in ran.iterdir()} == dict.fromkeys(expected, "x\n")
    with Reader(house.places) as reader:
        assert reader.stats().cpus_promised == 0


def test_a_job_whose_supervisor_was_killed_is_ended_and_not_run_again(house: House) -> None:
    house.start()
    id = house.submit("sh", "-c", "sleep 1000 & sleep 1000")
    house.started(id)
    said = house.journal(id)
    assert said and said.claim and said.started
    processes = process.descendants(said.claim.pid)

    os.kill(said.claim.pid, signal.SIGKILL)

    one = house.ended(id)
    assert (one.state, one.reason) == ("NODE_FAIL", "its supervisor was lost")
    assert processes
    until(lambda: not any(process.start_ticks(pid) for pid in processes), "all of its processes end")


def test_a_supervisor_killed_while_no_daemon_ran_is_found_out(house: House) -> None:
    house.start()
    id = house.submit("sleep", "1000")
    house.started(id)
    house.kill()
    said = house.journal(id)
    assert said and said.claim and said.started

    os.kill(said.claim.pid, signal.SIGKILL)
    until(lambda: not process.start_ticks(said.claim.pid), "it is gone")
    house.start()

    assert house.ended(id).state == "NODE_FAIL"


def test_a_fork_server_killed_is_replaced_and_jobs_go_on(house: House) -> None:
    daemon = house.start()
    running = house.submit("sleep", "1")
    house.started(running)
    server = next(pid for pid in process.children(daemon.pid) if b"fork_server" in _command(pid))

    os.kill(server, signal.SIGKILL)
    others = house.submit_all("true", array=tuple(range(5)))

    assert {one.state for one in house.wait([running, *others]).values()} == {"COMPLETED"}


def test_an_order_that_a_fork_server_took_to_its_grave_is_given_again(house: House) -> None:
    daemon = house.start()
    server = next(pid for pid in process.children(daemon.pid) if b"fork_server" in _command(pid))
    os.kill(server, signal.SIGSTOP)
    id = house.submit("true")
    until(lambda: house.job(id).state == State.RUNNING, "it has its CPU")

    os.kill(server, signal.SIGKILL)

    assert house.ended(id).state == "COMPLETED"
    assert house.job(id).attempt == 2


def test_a_process_that_got_a_dead_supervisors_number_is_not_taken_for_it(house: House) -> None:
    house.start()
    id = house.submit("sleep", "1000")
    house.started(id)
    house.kill()
    said = house.journal(id)
    assert said and said.claim and said.started
    os.kill(said.claim.pid, signal.SIGKILL)
    # Ours lives, and has the number that the journal names; it began at another time.
    _rewrite(house.places.journal(id, 1), pid=os.getpid())

    house.start()

    assert house.ended(id).state == "NODE_FAIL"


def test_after_a_restart_of_the_machine_what_ran_is_not_run_again_and_what_waited_is(house: House) -> None:
    house.start(cpus=1)
    told, ran, waited = house.submit("true"), house.submit("sleep", "1000"), house.submit("true")
    house.ended(told)
    house.started(ran)
    house.kill()
    said = house.journal(ran)
    assert said and said.claim
    os.kill(said.claim.pid, signal.SIGKILL)
    _end_what_is_left(house, ran)
    _other_boot(house)
    _rewrite(house.places.journal(ran, 1), boot="another")

    house.start(cpus=1)

    assert house.ended(waited).state == "COMPLETED"
    assert (house.job(ran).state, house.job(ran).reason) == (State.NODE_FAIL, "the machine was restarted while it ran")
    assert house.job(waited).submit_ns <= (house.job(waited).allocated_ns or 0)
    assert house.job(told).state == State.COMPLETED


def test_an_order_that_nobody_carried_out_is_given_again_once(house: House) -> None:
    house.start()
    id = house.submit("sleep", "1000")
    house.started(id)
    house.kill()
    said = house.journal(id)
    assert said and said.claim
    os.kill(said.claim.pid, signal.SIGKILL)
    until(lambda: not process.start_ticks(said.claim.pid), "it is gone")
    _end_what_is_left(house, id)
    # As if the daemon had been killed between the commit and the order.
    house.places.journal(id, 1).unlink()

    house.start()

    until(lambda: house.job(id).attempt == 2 and house.job(id).started_ns, "the second attempt runs")
    assert house.places.journal(id, 1).read_text().startswith('{"event": "fenced"')
    client.cancel(house.places, [id])
    assert house.ended(id).state == "CANCELLED"


def test_half_a_journal_is_put_away_unless_somebody_is_still_at_it(house: House) -> None:
    house.places.run.mkdir()
    whose = {2**22 + 1: False, os.getpid(): True}  # more than any kernel numbers; ours
    halves = {house.places.run / f"job_7.1.journal.{pid}": stays for pid, stays in whose.items()}
    for path in halves:
        path.write_text('{"event": "cla')

    house.start()

    assert {path: path.exists() for path in halves} == halves


def test_a_job_cancelled_while_no_daemon_ran_is_told_by_the_command(house: House) -> None:
    house.start()
    running, waiting = house.submit("sleep", "1000", cpus=4), house.submit("true")
    house.started(running)
    house.kill()

    assert client.cancel(house.places, [running, waiting]) == {running: "ending", waiting: "cancelled"}
    until(lambda: (said := house.journal(running)) and said.exit, "its supervisor ends it")
    house.start()

    assert house.ended(running).state == "CANCELLED"
    assert house.job(waiting).state == State.CANCELLED


def test_a_wall_clock_that_jumps_moves_no_job(house: House) -> None:
    clock = house.places.home / "wrong_by_s"
    clock.write_text("0")
    house.start(wall_clock=str(clock))
    ids = []
    for wrong_by_s in (0, -1e6, 1e6, 0):
        clock.write_text(str(wrong_by_s))
        ids.append(house.submit("sleep", "0.05", limit_s=30.0, cpus=3))

    assert {one.state for one in house.wait(ids).values()} == {"COMPLETED"}

    with Reader(house.places) as reader:
        for row in reader.queue(all=True):
            assert 0 <= row.wait_s < 60 and row.run_s is not None and 0 <= row.run_s < 60


def test_a_full_disk_refuses_submissions_loses_nothing_and_is_got_over(
    tmp_path: Path, small_disk: Callable[[int], SmallDisk]
) -> None:
    disk = small_disk(4)
    house = House(disk.path / "home")
    house.places.home.mkdir()
    daemon = house.start()
    try:
        running = house.submit("sh", "-c", "sleep 0.5; exit 3", cwd="/", stdout="/dev/null", stderr="/dev/null")
        house.started(running)
        disk.fill()

        with pytest.raises(MiniSlurmError, match="make room on the disk"):
            # Large: a log that has room within may still take a small one.
            client.submit(house.places, request("true", env={"LARGE": "x" * 300_000}))

        until(lambda: not process.start_ticks(running_pid(house, running)), "the job ends")
        assert daemon.poll() is None
        disk.free(2 << 20)
        assert house.ended(running).exit_code == 3
        assert house.ended(house.submit("true")).state == "COMPLETED"
        assert daemon.poll() is None
    finally:
        house.close()


def running_pid(house: House, id: int) -> int:
    said = house.journal(id)
    return said.started.pid if said and said.started else 0


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _rewrite(path: Path, **fields: object) -> None:
    """Another claim in that journal."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line | (fields if line["event"] == "claimed" else {})) + "\n" for line in lines))


def _end_what_is_left(house: House, id: int) -> None:
    connection = open_to_write(house.places)
    enforcement.end_all(f"mini-slurm-{loading.instance(connection)}-{id}-1")
    connection.close()


def _other_boot(house: House) -> None:
    """As if all that is stored were of another boot."""
    with sqlite3.connect(house.places.database) as connection:
        connection.execute("UPDATE jobs SET boot = 'another'")
    connection.close()
