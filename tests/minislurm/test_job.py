"""Programs that use the job's side, as real processes; the scheduler's side is done by hand."""

from __future__ import annotations

import ast
import contextlib
import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from perfdb.minislurm import job as job_side
from perfdb.minislurm import process
from perfdb.minislurm.control import Control
from perfdb.minislurm.job.channel import Channel
from perfdb.minislurm.sockets import short
from tests.minislurm.desk import Desk, Program, running
from tests.processes.waiting import until

HEAD = "from perfdb.minislurm.job import register\njob = register()\nprint('ready')\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Deeper than the path of a socket can be long."""
    folder = tmp_path / ("deep" * 30)
    folder.mkdir()
    return Desk(folder)


def ready(program: Program) -> Program:
    assert program.line() == "ready"
    return program


# Without anybody who resizes.


def test_outside_of_any_job_a_program_has_the_cpus_it_may_use_and_is_never_resized() -> None:
    source = (
        "print(job.cpus, job.min_cpus, job.max_cpus, job.id, job.is_elastic, job.poll(), job.wait(0.01), job.wait())"
    )
    cpus = len(os.sched_getaffinity(0))
    with running(HEAD + source, {}) as program:
        assert ready(program).line() == f"{cpus} {cpus} {cpus} None False None None None"
        assert program.ended() == 0


def test_a_rigid_job_has_the_cpus_it_asked_for() -> None:
    source = "print(job.id, job.cpus, job.min_cpus, job.max_cpus, job.is_elastic)"
    with running(HEAD + source, {"MINI_SLURM_JOB_ID": "12", "MINI_SLURM_CPUS": "3"}) as program:
        assert ready(program).line() == "12 3 3 3 False"


def test_a_job_that_is_not_elastic_is_none_whatever_else_it_finds(desk: Desk) -> None:
    with running(HEAD + "print(job.is_elastic)", {**desk.environment, "MINI_SLURM_ELASTIC": "0"}) as program:
        assert ready(program).line() == "False"
    assert not desk.answer_file.exists()


def test_a_program_that_is_not_resized_keeps_its_own_handler_of_the_signal() -> None:
    source = "import signal; print(signal.getsignal(signal.SIGUSR1))"
    with running(HEAD + source, {}) as program:
        assert ready(program).line() == "0"


# Registering.


def test_registering_tells_which_process_answers(desk: Desk) -> None:
    with running(HEAD + "input()", desk.environment) as program:
        ready(program)
        pid = program.process.pid
        assert desk.hint() == {"job": 7}
        ticks = process.start_ticks(pid)
        assert desk.answer() == {"pid": pid, "ticks": ticks, "acknowledged": None, "applied": None, "cost": None}
        assert desk.answer_file.stat().st_mode & 0o777 == 0o600


def test_a_registered_job_knows_its_bounds(desk: Desk) -> None:
    source = "print(job.id, job.cpus, job.min_cpus, job.max_cpus, job.generation, job.status, job is register())"
    with running(HEAD + source, desk.environment) as program:
        assert ready(program).line() == "7 2 1 8 0 RUNNING True"


def test_a_job_that_was_resized_before_it_registered_starts_with_that_and_says_so(desk: Desk) -> None:
    desk.resize(5)
    with running(HEAD + "print(job.cpus, job.poll())\ninput()", desk.environment) as program:
        assert ready(program).line() == "5 None"
        answer = desk.answer()
        assert (answer["acknowledged"][0], answer["applied"][0], answer["cost"]) == (1, 1, [1, 0, 0, 0])


def test_only_the_main_thread_can_register(desk: Desk) -> None:
    source = """
    import threading
    from perfdb.minislurm.job import register
    def other():
        try:
            register()
        except RuntimeError as error:
            print(error)
    threading.Thread(target=other).start()
    """
    with running(source, desk.environment) as program:
        assert "main thread" in program.line()
        assert program.ended() == 0
    assert not desk.answer_file.exists()


def test_a_second_program_of_the_job_answers_once_it_registers(desk: Desk) -> None:
    with running(HEAD, desk.environment) as first:
        assert ready(first).ended() == 0
    with running(HEAD + "print(job.wait().cpus)", desk.environment) as second:
        ready(second)
        desk.resize(4)
        second.signal()
        assert second.line() == "4"
    assert desk.answer()["pid"] == second.process.pid


# A resize.


def test_a_signal_is_acknowledged_while_the_program_does_something_else(desk: Desk) -> None:
    with running(HEAD + "while True: sum(range(1000))", desk.environment) as program:
        ready(program)
        before_ns = time.monotonic_ns()
        generation = desk.resize(4)
        program.signal()
        answer = desk.until_told("acknowledged", generation)
        assert answer["acknowledged"][0] == 1
        assert before_ns < answer["acknowledged"][1] < time.monotonic_ns()
        assert answer["applied"] is None


def test_a_resize_is_applied_where_its_block_ends(desk: Desk) -> None:
    source = """
with job.wait() as resize:
    print(resize.generation, resize.cpus_before, resize.cpus, job.cpus, job.generation)
    input()
input()
"""
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        desk.resize(4)
        program.signal()
        assert program.line() == "1 2 4 4 1"
        assert desk.until_told("acknowledged", 1)["applied"] is None
        program.type()
        answer = desk.until_told("applied", 1)
        generation, lost_units, lost_ns, paused_ns = answer["cost"]
        assert (generation, lost_units, lost_ns) == (1, 0, 0)
        assert 0 < paused_ns < answer["applied"][1] - answer["acknowledged"][1]


def test_what_a_resize_cost_is_told_with_it(desk: Desk) -> None:
    source = """
resize = job.wait()
resize.applied(lost_units=3, lost_s=0.25, paused_s=1.5)
resize.applied(lost_units=9)
for wrong in ({"lost_units": -1}, {"lost_s": -0.1}, {"paused_s": -0.1}):
    try:
        job.wait().applied(**wrong)
    except ValueError as error:
        print(error)
"""
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        for cpus in (4, 2, 4, 2):
            desk.resize(cpus)
            program.signal()
            desk.until_told("acknowledged", desk.generation)
            if cpus == 4 and desk.generation == 1:
                desk.until_told("applied", 1)
            else:
                assert program.line().startswith("a resize costs nothing or more, not ")
        assert program.ended() == 0
    assert desk.answer()["cost"] == [1, 3, 250_000_000, 1_500_000_000]


def test_a_resize_that_failed_is_not_said_to_be_applied(desk: Desk) -> None:
    source = """
try:
    with job.wait():
        raise OSError("no more processes")
except OSError as error:
    print(error)
"""
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        desk.resize(4)
        program.signal()
        assert program.line() == "no more processes"
        assert program.ended() == 0
    assert desk.answer()["acknowledged"][0] == 1
    assert desk.answer()["applied"] is None


def test_a_resize_before_the_wait_is_not_missed(desk: Desk) -> None:
    with running(HEAD + "input()\nprint(job.wait().cpus)", desk.environment) as program:
        ready(program)
        desk.resize(4)
        program.signal()
        desk.until_told("acknowledged", 1)
        program.type()
        assert program.line() == "4"


def test_a_resize_without_its_signal_is_found(desk: Desk) -> None:
    with running(HEAD + "print(job.wait().cpus)", desk.environment) as program:
        ready(program)
        desk.resize(4)
        assert program.line() == "4"


def test_of_several_resizes_in_a_row_the_latest_is_handed_out_once(desk: Desk) -> None:
    source = """
input()
resize = job.poll()
print(resize.generation, resize.cpus_before, resize.cpus)
resize.applied()
print(job.poll())
"""
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        for cpus in (3, 8, 5):
            desk.resize(cpus)
            program.signal()
        desk.until_told("acknowledged", 3)
        program.type()
        assert program.line() == "3 2 5"
        assert program.line() == "None"
        answer = desk.until_told("applied", 3)
        assert (answer["acknowledged"][0], answer["applied"][0]) == (3, 3)


def test_each_of_hundreds_of_resizes_is_answered(desk: Desk) -> None:
    source = "while True:\n    with job.wait(): pass\n"
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        for generation in range(1, 301):
            desk.resize(1 + generation % 8)
            program.signal()
            desk.until_told("applied", generation)


def test_resizes_faster_than_they_can_be_applied_end_in_the_latest(desk: Desk) -> None:
    source = "seen = 0\nwhile seen < 300:\n    with job.wait() as resize: seen = resize.generation; print(seen)\n"
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        for generation in range(1, 301):
            desk.resize(1 + generation % 8)
            program.signal()
        answer = desk.until_told("applied", 300)
        assert (answer["acknowledged"][0], answer["applied"][0]) == (300, 300)
        assert program.ended() == 0
        assert program.process.stdout is not None
        seen = [int(line) for line in program.process.stdout]
    assert seen == sorted(set(seen))


def test_a_signal_in_the_middle_of_a_look_makes_it_look_again(desk: Desk) -> None:
    source = """
import os, signal
read = job._channel.read
def read_slowly():
    found = read()
    job._channel.read = read
    print("read")
    input()
    return found
job._channel.read = read_slowly
print(job.poll().cpus)
"""
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        assert program.line() == "read"
        desk.resize(4)
        program.signal()
        # The handler has run when there is nothing of the signal left to be handled.
        until(lambda: "SigPnd:\t0000000000000000" in Path(f"/proc/{program.process.pid}/status").read_text())
        program.type()
        assert program.line() == "4"


def test_a_signal_with_nothing_new_is_answered_by_another_hint(desk: Desk) -> None:
    with running(HEAD + "while True: job.wait()", desk.environment) as program:
        ready(program)
        assert desk.hint() == {"job": 7}
        program.signal()
        assert desk.hint() == {"job": 7}


def test_waiting_ends_after_its_timeout(desk: Desk) -> None:
    with running(HEAD + "print(job.wait(0.02), job.wait(0))", desk.environment) as program:
        assert ready(program).line() == "None None"


def test_a_process_that_is_left_when_the_job_is_over_learns_how(desk: Desk) -> None:
    with running(HEAD + "input()\njob.poll()\nprint(job.status)", desk.environment) as program:
        ready(program)
        desk.write(2, "COMPLETED")
        program.type()
        assert program.line() == "COMPLETED"


# Files that are not as they should be.


@pytest.mark.parametrize(
    "spoiled",
    [b"", b"CPUS=4\nMEM_MB=", b"\xff\xfe\x00CPUS", b"CPUS=four\n" * 4000, b"CPUS=99\nMIN_CPUS=1\nMAX_CPUS=8\nSTATUS=RUNNING\nGENERATION=1\n"],
    ids=["empty", "cut off", "binary", "huge", "above its bounds"],
)  # fmt: skip
def test_a_spoiled_control_file_leaves_the_last_good_state(desk: Desk, spoiled: bytes) -> None:
    source = "while True:\n    input()\n    resize = job.poll()\n    print(resize and resize.cpus, job.cpus)\n"
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        desk.resize(4)
        program.type()
        assert program.line() == "4 4"
        desk.control.write_bytes(spoiled)
        program.type()
        assert program.line() == "None 4"
        desk.resize(3)
        program.type()
        assert program.line() == "3 3"


def test_a_pipe_or_nothing_in_the_control_files_place_stops_nobody(desk: Desk) -> None:
    desk.control.unlink()
    source = "print(job.cpus, job.poll())\ninput()\nprint(job.poll())\ninput()\nprint(job.poll().cpus)"
    with running(HEAD + source, desk.environment) as program:
        assert ready(program).line() == "2 None"
        os.mkfifo(desk.control)
        program.type()
        assert program.line() == "None"
        desk.control.unlink()
        desk.resize(4)
        program.type()
        assert program.line() == "4"


def test_an_older_control_file_is_no_resize(desk: Desk) -> None:
    desk.generation = 5
    desk.write(4)
    with running(HEAD + "input()\nprint(job.poll(), job.cpus)", desk.environment) as program:
        ready(program)
        desk.generation = 4
        desk.write(8)
        program.type()
        assert program.line() == "None 4"


@pytest.mark.parametrize(
    "change",
    [("", ""), ("CPUS=4", "CPUS=9"), ("CPUS=4", "CPUS=0"), ("RUNNING", "LOST"), ("GENERATION=3", "GENERATION=-1"),
     ("GENERATION=3\n", ""), ("MIN_CPUS=1", "MIN_CPUS=one"), ("\n", "\r\n"), ("MAX_CPUS", "# a line\nMAX_CPUS")],
)  # fmt: skip
def test_both_sides_take_the_same_for_a_control_file(tmp_path: Path, change: tuple[str, str]) -> None:
    text = Control(4, 1024, 1, 8, "RUNNING", 5.5, 3).text().replace(*change)
    file = tmp_path / "control"
    file.write_bytes(text.encode())
    ours = Control.parse(text)
    theirs = Channel({"MINI_SLURM_ELASTIC": "1", "MINI_SLURM_CONTROL_FILE": str(file)}).read()
    expected = ours and (ours.cpus, ours.min_cpus, ours.max_cpus, ours.status, ours.generation)
    assert expected == theirs


def test_an_answer_that_could_not_be_written_is_written_later(desk: Desk, tmp_path: Path) -> None:
    desk.answer_file = tmp_path / "later" / "job_7.answer"
    with running(HEAD + "while True: job.wait()", desk.environment) as program:
        ready(program)
        desk.answer_file.parent.mkdir()
        until(desk.answer_file.exists)
        assert desk.answer()["pid"] == program.process.pid


def test_a_job_needs_nobody_who_listens(desk: Desk) -> None:
    environment = {**desk.environment, "MINI_SLURM_HINTS": "/nowhere/hints.sock"}
    del environment["MINI_SLURM_ANSWER_FILE"]
    with running(HEAD + "with job.wait() as resize: print(resize.cpus)", environment) as program:
        ready(program)
        desk.resize(4)
        program.signal()
        assert program.line() == "4"
        assert program.ended() == 0
    assert not Path(f".{program.process.pid}.new").exists()


# Signals.


def test_a_handler_that_was_there_before_is_called_too(desk: Desk) -> None:
    head = "import signal\nsignal.signal(signal.SIGUSR1, lambda number, frame: print('mine'))\n"
    with running(head + HEAD + "input()", desk.environment) as program:
        ready(program)
        desk.resize(4)
        program.signal()
        assert program.line() == "mine"
        assert desk.until_told("acknowledged", 1)["acknowledged"][0] == 1


def test_a_hint_that_found_no_room_is_given_again(desk: Desk) -> None:
    with running(HEAD + "while True: job.wait()", desk.environment) as program:
        ready(program)
        desk.hint()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others, short(desk.hints_path) as path:
            others.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    others.sendto(b'{"job": 1}', path)
        desk.resize(4)
        program.signal()
        until(lambda: desk.answer()["acknowledged"])
        while desk.hint() != {"job": 7}:
            pass


def test_a_signal_ends_no_program_that_is_about_to_end(desk: Desk) -> None:
    # What was registered before the job comes after it at the end.
    head = "import atexit\natexit.register(lambda: (print('ending'), input()))\n"
    with running(head + HEAD, desk.environment) as program:
        ready(program)
        assert program.line() == "ending"
        program.type()
        while program.process.poll() is None:
            program.signal()
        assert program.ended() == 0


def test_a_thread_that_waits_hears_of_it_while_the_main_thread_is_in_a_long_call(desk: Desk) -> None:
    source = """
import hashlib, select, threading
def resizes():
    select.select([job], [], [])
    with job.poll() as resize: print(resize.cpus)
threading.Thread(target=resizes, daemon=True).start()
print("called")
hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)
"""
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        assert program.line() == "called"
        desk.resize(4)
        program.signal()
        assert program.line() == "4"
        assert desk.until_told("applied", 1)["acknowledged"][0] == 1
        assert program.process.poll() is None


# Threads, callbacks, event loops, children.


def test_a_callback_gets_each_resize_and_survives_its_own_errors(desk: Desk) -> None:
    source = """
def resized(resize):
    print(resize.cpus_before, resize.cpus)
    if resize.cpus == 3:
        raise OSError
job.on_resize(resized)
while True: sum(range(1000))
"""
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        for before, cpus in ((2, 4), (4, 3), (3, 5)):
            generation = desk.resize(cpus)
            program.signal()
            assert program.line() == f"{before} {cpus}"
            if cpus != 3:
                desk.until_told("applied", generation)
            else:
                assert desk.until_told("acknowledged", generation)["applied"][0] == 1


def test_a_select_wakes_for_a_resize(desk: Desk) -> None:
    source = "import select\nselect.select([job], [], [])\nprint(job.poll().cpus, select.select([job], [], [], 0)[0])"
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        desk.resize(4)
        program.signal()
        assert program.line() == "4 []"


def test_a_program_that_has_a_wakeup_descriptor_keeps_it(desk: Desk) -> None:
    head = """
import os, select, signal
mine, other = os.pipe()
os.set_blocking(other, False)
signal.set_wakeup_fd(other)
"""
    source = "select.select([job], [], [])\nprint(job.poll().cpus, os.read(mine, 1)[0] == signal.SIGUSR1)"
    with running(head + HEAD + source, desk.environment) as program:
        ready(program)
        desk.resize(4)
        program.signal()
        assert program.line() == "4 True"


def test_several_threads_get_each_resize_once(desk: Desk) -> None:
    source = """
import threading
def resizes():
    while True:
        with job.wait() as resize:
            print(resize.generation)
for _ in range(4):
    threading.Thread(target=resizes, daemon=True).start()
threading.Event().wait()
"""
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        for generation in range(1, 51):
            desk.resize(1 + generation % 8)
            program.signal()
            assert program.line() == str(generation)
            desk.until_told("applied", generation)


def test_a_forked_child_neither_answers_nor_dies_of_the_signal(desk: Desk) -> None:
    source = """
import os, select, signal
child = os.fork()
if child == 0:
    input()
    os.kill(os.getpid(), signal.SIGUSR1)
    print("child", job.poll(), job.wait(0.01), job.cpus)
    os._exit(0)
print(os.waitpid(child, 0)[1], select.select([job], [], [], 0)[0])
input()
"""
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        desk.resize(4)
        program.type()
        assert program.line() == "child None None 2"
        assert program.line() == "0 []"
        assert desk.answer()["acknowledged"] is None


def test_a_child_that_registers_answers_itself(desk: Desk) -> None:
    source = """
import os
child = os.fork()
if child == 0:
    print(register().wait().cpus)
    os._exit(0)
os.waitpid(child, 0)
"""
    with running(HEAD + source, desk.environment) as program:
        ready(program)
        until(lambda: desk.answer()["pid"] != program.process.pid)
        child = desk.answer()["pid"]
        assert process.parent(child) == program.process.pid
        desk.resize(4)
        os.kill(child, signal.SIGUSR1)
        assert program.line() == "4"
        assert desk.answer()["pid"] == child


# Taken along.


@pytest.mark.parametrize("file", sorted(Path(job_side.__file__).parent.glob("*.py")), ids=lambda file: file.name)
def test_the_jobs_side_is_python_3_8(file: Path) -> None:
    ast.parse(file.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize("python", [sys.executable, "python3.8"])
def test_a_copy_of_the_folder_does_without_perfdb(desk: Desk, tmp_path: Path, python: str) -> None:
    copy = tmp_path / "taken" / "resizing"
    shutil.copytree(Path(job_side.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    source = """
    import sys
    from resizing import register
    job = register()
    print("perfdb" in sys.modules)
    with job.wait() as resize: print(resize.cpus)
    """
    runs = shutil.which(python)
    if runs is None or os.system(f"{runs} -c pass >/dev/null 2>&1"):
        pytest.skip(f"there is no {python} here")
    with running(source, {**desk.environment, "PYTHONPATH": str(copy.parent)}, python=runs) as program:
        assert program.line() == "False"
        desk.resize(4)
        program.signal()
        assert program.line() == "4"
        assert desk.until_told("applied", 1)["cost"][0] == 1
