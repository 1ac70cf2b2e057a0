"""Resizes from the decision to the kernel, with real jobs."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import sys
import time
from pathlib import Path

from perfdb.minislurm import client
from perfdb.minislurm.control import Control
from tests.minislurm.daemon.running import House, house, until

__all__ = ["house"]

# A job with the helper: it does what it is told, and writes down each allocation that it keeps to.
HELPED = """
from perfdb.minislurm.job import register
job = register()
print(job.cpus, flush=True)
while True:
    resize = job.wait(60)
    if resize:
        with resize:
            print(resize.cpus, flush=True)
"""
# One that says that it is there, and no more.
SILENT = """
import time
from perfdb.minislurm.job import register
import os, json, signal
register()
signal.signal(signal.SIGUSR1, lambda *_: None)
print("here", flush=True)
time.sleep(1000)
"""
# The style of the documentation: a handler that reads the control file, below a shell that has none.
HANDLER = """
import os, signal, time
def read(*_):
    print(dict(line.strip().split("=") for line in open(os.environ["MINI_SLURM_CONTROL_FILE"]))["CPUS"], flush=True)
signal.signal(signal.SIGUSR1, read)
print("here", flush=True)
while True:
    time.sleep(1000)
"""
ENV = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())}


def test_a_job_that_answers_grows_shrinks_for_a_higher_one_and_grows_again(house: House) -> None:
    house.start(threshold_percent=100)
    id = house.submit(sys.executable, "-c", HELPED, cpus=2, min_cpus=1, max_cpus=4, env=ENV)
    _printed(house, id, "4")

    assert house.ended(house.submit("true", cpus=3, priority=5)).state == "COMPLETED"
    _printed(house, id, "4\n1\n4")

    client.cancel(house.places, [id])
    house.ended(id)
    kinds = [(event.kind, event.generation, event.cpus_from, event.cpus_to) for event in house.events(id)]
    last = house.job(id).generation
    for generation, before, after in ((last - 1, 4, 1), (last, 1, 4)):
        for kind in ("decided", "written", "signalled", "acknowledged", "applied"):
            assert (kind, generation, before, after) in kinds
    instants = [event.ns for event in house.events(id) if event.generation == last - 1 and event.kind != "withdrawn"]
    assert instants == sorted(instants)
    assert not any(kind == "overdue" for kind, *_ in kinds)


def test_a_job_that_answers_before_the_daemon_goes_on_was_signalled_before_it_answered(house: House) -> None:
    house.start(threshold_percent=100, after_signal_s=0.3)
    id = house.submit(sys.executable, "-c", HELPED, cpus=1, min_cpus=1, max_cpus=4, env=ENV)

    until(lambda: any(event.kind == "acknowledged" for event in house.events(id)), "it has answered")

    at = {event.kind: event.ns for event in house.events(id)}
    assert at["decided"] <= at["written"] <= at["signalled"] < at["acknowledged"]
    client.cancel(house.places, [id])
    house.ended(id)


def test_a_job_that_says_nothing_is_kept_to_its_new_cpus_at_once(house: House) -> None:
    house.start(elastic=True, threshold_percent=1)
    id = house.submit("sh", "-c", "sleep 1000; true", cpus=4, min_cpus=1, max_cpus=4)
    shell = _started(house, id)

    other = house.submit("sleep", "1000", cpus=3, priority=1)

    house.started(other)
    assert house.job(id).current_cpus == 1
    assert len(os.sched_getaffinity(shell)) == 1
    applied = [event for event in house.events(id) if event.kind == "applied"]
    assert [event.detail for event in applied] == ["by enforcement"]
    client.cancel(house.places, [id, other])
    house.wait([id, other])


def test_a_job_that_says_nothing_has_the_cpus_of_a_growth_at_once_and_its_history_says_by_whom(house: House) -> None:
    house.start(cpus=2, elastic=True, threshold_percent=100)
    id = house.submit("sh", "-c", "sleep 1000; true", cpus=1, min_cpus=1, max_cpus=2)
    shell = _started(house, id)

    until(lambda: any(event.kind == "applied" for event in house.events(id)), "the growth is applied")

    assert len(os.sched_getaffinity(shell)) == house.job(id).current_cpus == 2
    applied = [(event.cpus_from, event.detail) for event in house.events(id) if event.kind == "applied"]
    assert applied == [(1, "by enforcement")]
    client.cancel(house.places, [id])
    house.ended(id)


def test_a_job_that_registered_and_does_not_let_go_has_its_time_and_no_more(house: House) -> None:
    house.start(elastic=True, threshold_percent=1, release_s=0.5)
    id = house.submit(sys.executable, "-c", SILENT, cpus=4, min_cpus=1, max_cpus=4, env=ENV)
    _printed(house, id, "here")

    assert house.ended(house.submit("true", cpus=2, priority=1)).state == "COMPLETED"

    events = {event.kind: event for event in house.events(id)}
    assert "applied" not in events
    assert events["overdue"].ns - events["decided"].ns >= 500_000_000
    client.cancel(house.places, [id])
    house.ended(id)


def test_a_script_that_goes_on_after_the_program_that_registered_is_not_waited_for(house: House) -> None:
    house.start(elastic=True, threshold_percent=1, release_s=60)
    register = "from perfdb.minislurm.job import register; register()"
    script = f"'{sys.executable}' -c '{register}'; echo here; sleep 1000; true"
    id = house.submit("sh", "-c", script, cpus=4, min_cpus=1, max_cpus=4, env=ENV)
    _printed(house, id, "here")

    assert house.ended(house.submit("true", cpus=2, priority=1)).state == "COMPLETED"

    applied = [event for event in house.events(id) if event.kind == "applied"]
    assert [event.detail for event in applied] == ["by enforcement"]
    client.cancel(house.places, [id])
    house.ended(id)


def test_the_signal_reaches_a_handler_below_a_shell_and_the_shell_lives(house: House) -> None:
    house.start(elastic=True, threshold_percent=1)
    env = ENV | {"PROGRAM": HANDLER}
    id = house.submit("sh", "-c", f'{sys.executable} -c "$PROGRAM"; true', cpus=4, min_cpus=1, max_cpus=4, env=env)
    _printed(house, id, "here")

    assert house.ended(house.submit("true", cpus=2, priority=1)).state == "COMPLETED"

    _printed(house, id, "here\n2")
    client.cancel(house.places, [id])
    assert house.ended(id).state == "CANCELLED"


def test_the_control_file_tells_the_end_and_stays(house: House) -> None:
    house.start(elastic=False)
    good, bad = (house.submit("sh", "-c", f"exit {code}", min_cpus=1, max_cpus=2) for code in (0, 1))

    house.wait([good, bad])

    for id, status in ((good, "COMPLETED"), (bad, "FAILED")):
        control = Control.parse(house.places.control(id).read_text())
        assert control and (control.status, control.cpus, control.min_cpus, control.max_cpus) == (status, 1, 1, 2)


def test_a_control_file_that_somebody_spoiled_is_whole_after_the_next_resize(house: House) -> None:
    house.start(elastic=True, threshold_percent=1)
    id = house.submit("sleep", "1000", cpus=4, min_cpus=1, max_cpus=4)
    _started(house, id)
    house.places.control(id).write_bytes(b"\xff\0CPUS=999\nSTATUS")

    house.started(house.submit("sleep", "0.1", cpus=3, priority=1))

    control = Control.parse(house.places.control(id).read_text())
    assert control and (control.cpus, control.generation) == (1, 1)
    client.cancel(house.places, [id])
    house.ended(id)


def test_an_answer_file_may_hold_anything(house: House) -> None:
    house.start(cpus=5, elastic=True, threshold_percent=1, release_s=0.3)
    id = house.submit("sleep", "1000", cpus=4, min_cpus=1, max_cpus=4)
    _started(house, id)
    answer = house.places.answer(id)
    forms = ["", "[]", "{", '{"pid": 1}', '{"pid": -1, "ticks": 0, "acknowledged": null, "applied": null}', "[" * 4000]
    forms += ['{"pid": 1, "ticks": 1, "acknowledged": [7, 0], "applied": [99999, 9999999999999999999999]}', "\0" * 9000]

    for number, text in enumerate(forms):
        answer.write_text(text)
        _hint(house, id)
        assert house.ended(house.submit("true")).state == "COMPLETED", number
    assert house.ended(house.submit("true", cpus=3, priority=1)).state == "COMPLETED"

    assert {event.kind for event in house.events(id)} <= {
        "submitted",
        "allocated",
        "started",
        "decided",
        "written",
        "signalled",
        "applied",
        "overdue",
    }
    client.cancel(house.places, [id])
    house.ended(id)


def test_a_shrink_that_a_killed_daemon_had_begun_is_finished_by_the_next(house: House) -> None:
    house.start(elastic=True, threshold_percent=1, release_s=1000)
    id = house.submit(sys.executable, "-c", SILENT, cpus=4, min_cpus=1, max_cpus=4, env=ENV)
    _printed(house, id, "here")
    until(lambda: house.places.answer(id).exists(), "it registers")
    other = house.submit("true", cpus=2, priority=1)
    until(lambda: house.job(id).target_cpus == 2, "the shrink is decided")
    assert house.job(id).current_cpus == 4
    house.kill()

    house.start(elastic=True, threshold_percent=1, release_s=0.1)

    assert house.ended(other).state == "COMPLETED"
    assert house.job(id).current_cpus == 2
    client.cancel(house.places, [id])
    house.ended(id)


def test_a_shrink_that_a_killed_daemon_had_told_nobody_of_is_told(house: House) -> None:
    house.start(elastic=True, threshold_percent=1, release_s=1000)
    id = house.submit(sys.executable, "-c", SILENT, cpus=4, min_cpus=1, max_cpus=4, env=ENV)
    _printed(house, id, "here")
    until(lambda: house.places.answer(id).exists(), "it registers")
    other = house.submit("true", cpus=2, priority=1)
    until(lambda: any(event.kind == "signalled" for event in house.events(id)), "it is told")
    house.kill()
    # As if the daemon had been killed right after the commit.
    with sqlite3.connect(house.places.database) as connection:
        connection.execute("DELETE FROM events WHERE kind IN ('written', 'signalled')")
    connection.close()
    house.places.control(id).unlink()

    house.start(elastic=True, threshold_percent=1, release_s=1000)

    until(lambda: any(event.kind == "signalled" for event in house.events(id)), "it is told")
    control = Control.parse(house.places.control(id).read_text())
    assert control and (control.cpus, control.generation) == (2, 1)
    client.cancel(house.places, [id, other])
    house.wait([id, other])


def test_an_answer_from_the_future_or_from_before_the_question_is_none(house: House) -> None:
    house.start(elastic=True, threshold_percent=1, release_s=1000)
    id = house.submit(sys.executable, "-c", SILENT, cpus=4, min_cpus=1, max_cpus=4, env=ENV)
    _printed(house, id, "here")
    until(lambda: house.places.answer(id).exists(), "it registers")
    registered = json.loads(house.places.answer(id).read_text())
    other = house.submit("true", cpus=2, priority=1)
    until(lambda: house.job(id).target_cpus == 2, "the shrink is decided")

    for ns in (1, time.monotonic_ns() + 10**15):
        house.places.answer(id).write_text(json.dumps(registered | {"applied": [1, ns]}))
        _hint(house, id)
        assert client.wait(house.places, [other], 0.3, lambda one: None) == {}
    house.places.answer(id).write_text(json.dumps(registered | {"applied": [1, time.monotonic_ns()]}))
    _hint(house, id)

    assert house.ended(other).state == "COMPLETED"
    client.cancel(house.places, [id])
    house.ended(id)


def _started(house: House, id: int) -> int:
    """The pid of the job's first process."""
    house.started(id)
    said = house.journal(id)
    assert said and said.started
    return said.started.pid


def _printed(house: House, id: int, text: str) -> None:
    path = house.places.stdout(id)
    until(lambda: path.exists() and path.read_text().strip().endswith(text), f"job {id} prints {text!r}")


def _hint(house: House, id: int) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hints:
        hints.sendto(b'{"job": %d}' % id, str(house.places.hints))
