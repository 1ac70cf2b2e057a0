"""A child's words, times and end are kept, and nothing of it outlives its supervisor."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from perfdb.processes.lines import LONGEST_LINE
from perfdb.processes.log import Exit, read_log
from perfdb.processes.supervised import Supervised
from perfdb.processes.supervisor import role_of
from perfdb.processes.tree import marked
from tests.processes.waiting import until

# A grandchild in a session of its own, as Parsl's workers are; it says when it is there.
ESCAPED = """
import os, subprocess, sys, time
subprocess.Popen(
    [sys.executable, "-c", "import time; open('escaped', 'w').close(); time.sleep(600)"],
    start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
while not os.path.exists("escaped"):
    time.sleep(0.01)
print("ready")
"""


def test_both_streams_arrive_with_their_times_and_the_exit_code(follow):
    done = follow(
        """
        import sys, time
        print("one")
        time.sleep(0.2)
        print("two", file=sys.stderr)
        time.sleep(0.2)
        print("three, without an end", end="")
        sys.exit(7)
        """
    )
    assert [(line.stream, line.text) for line in done.log.lines] == [
        ("stdout", "one"),
        ("stderr", "two"),
        ("stdout", "three, without an end"),
    ]
    one, two, three = (line.t for line in done.log.lines)
    assert two - one >= 0.15
    assert three - two >= 0.15
    assert done.log.exit.t >= three
    assert (done.log.exit.code, done.log.exit.reason) == (7, "ended")
    assert done.events == [*done.log.lines, done.log.exit]


def test_the_log_says_when_it_started_and_what_cpu_time_it_took(follow):
    done = follow("import time\nwhile time.process_time() < 0.3: pass")
    assert done.log.started_at.endswith("+00:00")
    assert done.log.exit.cpu_s >= 0.2


def test_a_child_that_dies_of_a_signal_ends_with_that_signal(follow):
    done = follow("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert (done.log.exit.code, done.log.exit.reason) == (-signal.SIGSEGV, "ended")


def test_the_cpu_time_of_the_tree_is_told_at_the_lines_asked_for(follow):
    done = follow(
        """
        import time
        print("==== Iteration 1 ====")
        while time.process_time() < 0.3: pass
        print("between")
        print("==== Iteration 2 ====")
        time.sleep(0.5)  # of a process that is gone nothing can be sampled
        """,
        sample_on="==== Iteration",
    )
    first, between, second = (line.cpu for line in done.log.lines)
    assert between is None
    assert second["main"] - first["main"] >= 0.15


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("/usr/bin/python /env/bin/process_worker_pool.py --debug", "workers"),
        ("parsl: HTEX interchange", "interchange"),
        ("python interchange.py", "interchange"),
        ("parsl: HTEX process_worker_pool", "workers"),
        ("/bin/bash", None),
    ],
)
def test_a_command_line_tells_its_role(command, role):
    assert role_of(command) == role


def test_a_time_limit_ends_the_whole_tree(follow, run):
    done = follow(ESCAPED + "time.sleep(600)", timeout_s=2.0)
    assert done.texts[0] == "ready"
    assert done.log.exit.reason == "timeout"
    assert marked(run) == []


@pytest.mark.parametrize(
    ("deaf_to", "dies_of"), [(["SIGINT"], signal.SIGTERM), (["SIGINT", "SIGTERM"], signal.SIGKILL)]
)
def test_a_child_that_takes_no_hint_is_killed_and_its_exit_code_says_so(follow, run, deaf_to, dies_of):
    deaf = f"""
        import signal, time
        for name in {deaf_to}:
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        print("ready")
        time.sleep(600)
        """
    done = follow(deaf, stop_at=("ready",), grace_s=0.1)
    assert (done.log.exit.code, done.log.exit.reason) == (-dies_of, "stopped")
    assert marked(run) == []


def test_what_a_child_leaves_behind_ends_soon_after_it_even_if_it_goes_on_talking(follow, run):
    done = follow(ESCAPED + "subprocess.Popen(['yes'])", timeout_s=60.0)
    assert done.texts[0] == "ready"
    assert (done.log.exit.code, done.log.exit.reason) == (0, "ended")
    assert done.log.exit.t < 30
    assert marked(run) == []


def test_a_child_that_is_told_to_stop_may_clean_up(follow):
    tidy = """
        import time
        try:
            print("ready")
            time.sleep(600)
        except KeyboardInterrupt:
            print("blocks cancelled")
        """
    done = follow(tidy, stop_at=("ready",), grace_s=60)
    assert done.texts == ["ready", "blocks cancelled"]
    assert (done.log.exit.code, done.log.exit.reason) == (0, "stopped")


def test_a_stop_right_behind_the_order_ends_the_child_in_good_order(job, run, tmp_path, capfd):
    with Supervised(job("import time; time.sleep(600)"), tmp_path / "log") as child:
        child.stop()  # before the supervisor has so much as started
        while child.read() is not None:
            pass
    assert read_log(tmp_path / "log").exit.reason == "stopped"
    assert capfd.readouterr().err == "" and marked(run) == []


def test_a_second_stop_ends_it_at_once(follow, run):
    slow = """
        import time
        try:
            print("ready")
            time.sleep(600)
        except KeyboardInterrupt:
            print("cleaning up")
            time.sleep(600)
        """
    done = follow(slow, stop_at=("ready", "cleaning up"), grace_s=600)
    assert done.log.exit.reason == "stopped"
    assert marked(run) == []


def test_a_child_started_in_the_background_of_a_shell_still_hears_the_interrupt(follow):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell's `&` does, and children inherit
    try:
        done = follow("import time\nprint('ready')\ntime.sleep(600)", stop_at=("ready",), grace_s=600)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.log.exit.code == -signal.SIGINT


PARENT = """
import json, os, sys
from pathlib import Path
from perfdb.processes.supervised import ChildJob, Supervised
order = json.loads(sys.argv[1])
order |= {"argv": tuple(order["argv"]), "cwd": Path(order["cwd"]), "when_abandoned": tuple(order["when_abandoned"])}
with Supervised(ChildJob(**order), Path(sys.argv[2])) as child:
    while (events := child.read()) is not None:
        for event in events:
            print(getattr(event, "text", ""), flush=True)
"""


def test_when_perfdb_is_killed_the_tree_goes_with_it_and_its_jobs_are_cancelled(job, run, tmp_path):
    cancelled, log = tmp_path / "cancelled", tmp_path / "01-child.jsonl"
    touch = f"import pathlib; pathlib.Path({str(cancelled)!r}).touch()"
    made = job(ESCAPED + "time.sleep(600)", when_abandoned=(sys.executable, "-c", touch))
    order = {**vars(made), "env": dict(made.env), "cwd": str(made.cwd)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, json.dumps(order), log], stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "ready\n"
    assert len(marked(run)) == 3  # the supervisor, the child, the one that escaped
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: marked(run) == [], patience_s=20)
    assert read_log(log).exit.reason == "abandoned"
    assert cancelled.exists()


def test_leaving_a_talking_child_early_ends_it_without_a_word(job, run, tmp_path, capfd, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # with it nothing is left to be written at the end
    with Supervised(job("while True: print('x' * 1000)"), tmp_path / "log.jsonl") as child:
        while not child.read():
            pass
    assert marked(run) == []
    assert read_log(tmp_path / "log.jsonl").exit.reason == "abandoned"
    assert capfd.readouterr().err == ""


def test_a_line_without_end_is_cut_and_the_next_one_is_whole(follow):
    done = follow(f"print('x' * {LONGEST_LINE * 5})\nprint('next')")
    assert done.texts == ["x" * LONGEST_LINE, "next"]


def test_binary_garbage_is_kept_as_readable_as_it_gets(follow):
    done = follow(r"import sys; sys.stdout.buffer.write(b'\xff\x00\x1b[2J\xf0\x9f\nwhole\r\n\n')")
    assert done.texts == ["\ufffd\x00\x1b[2J\ufffd", "whole", ""]


def test_a_child_that_closes_its_output_runs_on(follow):
    done = follow("import os, time\nos.close(1); os.close(2); time.sleep(0.5); os._exit(3)")
    assert done.log.lines == ()
    assert done.log.exit.code == 3
    assert done.log.exit.t >= 0.5


@pytest.mark.parametrize("argv", [("/no/such/program",), ("/",)])
def test_a_program_that_cannot_be_started_ends_with_127_and_says_why(follow, argv):
    done = follow("", argv=argv)
    (line,) = done.log.lines
    assert line.stream == "stderr"
    assert argv[0] in line.text
    assert done.log.exit == Exit(done.log.exit.t, 127, "ended", done.log.exit.cpu_s)


def test_silence_is_told_as_such(job, tmp_path):
    with Supervised(job("input_ = open('/dev/stdin').read(); print(repr(input_))"), tmp_path / "log.jsonl") as child:
        assert child.read(tick_s=0.0) == []
        while child.read() is not None:
            pass
    assert read_log(tmp_path / "log.jsonl").stdout[0].text == "''"


def test_the_supervisor_ends_when_it_is_told_nothing(tmp_path: Path):
    module = [sys.executable, "-m", "perfdb.processes.supervisor"]
    assert subprocess.run(module, input=b"", check=False, timeout=60).returncode == 0
    assert subprocess.run(module, input=b'{"argv":', check=False, timeout=60).returncode == 0
