"""A child's words, times and end are kept, and nothing of it outlives its supervisor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from perfdb.processes import event_log
from perfdb.processes.lines import LONGEST_LINE
from perfdb.processes.log import Exit, Line, read_log
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


def test_a_child_that_takes_no_hint_is_killed_and_its_exit_code_says_so(follow, run):
    deaf = """
        import signal, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("ready")
        time.sleep(600)
        """
    done = follow(deaf, stop_at=("ready",), grace_s=0.1)
    assert (done.log.exit.code, done.log.exit.reason) == (-signal.SIGTERM, "stopped")
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


def test_leaving_a_talking_child_early_ends_it_without_a_word(job, run, tmp_path, capfd):
    with Supervised(job("while True: print('x' * 1000)"), tmp_path / "log.jsonl") as child:
        while not child.read():
            pass
    assert marked(run) == []
    assert read_log(tmp_path / "log.jsonl").exit.reason == "abandoned"
    assert capfd.readouterr().err == ""


def test_secrets_are_masked_in_the_log_and_in_what_is_told(follow, tmp_path):
    secret = "fake-secret-9c41"
    done = follow(
        f"""
        import sys
        print("the token is {secret}, again {secret}")
        print("{secret}", file=sys.stderr)
        print("PASSWORD=fake-password-77")
        """,
        secrets=(secret,),
    )
    assert len(done.log.lines) == 3
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("*.jsonl"))
    for planted in ("fake-secret", "fake-password"):
        assert planted.encode() not in kept
        assert planted not in repr(done.events)


def test_a_secret_at_the_cut_of_an_endless_line_is_masked(follow, tmp_path):
    secret = "fake-secret-" + "0123456789" * 10
    for lead in range(-len(secret), 1, 50):
        follow(f"print('x' * ({LONGEST_LINE} + {lead}) + '{secret}' * 3000)", secrets=(secret,))
        assert b"fake-secret" not in (tmp_path / "01-child.jsonl").read_bytes()
        assert b"23456789012345" not in (tmp_path / "01-child.jsonl").read_bytes()


def test_a_private_key_over_several_lines_is_masked(follow, tmp_path):
    body = ["RkFLRSBLRVkgRkFLRSBLRVkgRkFLRSBLRVkg" + tail for tail in ("AAAA", "BBBB", "Cg==")]
    lines = ["-----BEGIN PRIVATE KEY-----", *body, "-----END PRIVATE KEY-----", "after"]
    done = follow("\n".join(f"print({line!r})" for line in lines))
    assert done.texts[-1] == "after"
    assert len(done.texts) == len(lines)
    assert b"RkFLRSBLRVkg" not in (tmp_path / "01-child.jsonl").read_bytes()


def test_a_line_without_end_is_cut_and_the_next_one_is_whole(follow):
    done = follow(f"print('x' * {LONGEST_LINE * 5})\nprint('next')")
    assert done.texts == ["x" * LONGEST_LINE, "next"]


def test_a_log_stops_growing_but_still_tells_the_end(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(event_log, "LONGEST_LOG", 10_000)
    log = event_log.EventLog(str(tmp_path / "log.jsonl"), None)
    for _ in range(1000):
        log.write({"event": "line", "t": 0.5, "stream": "stdout", "text": "x" * 100})
    log.write({"event": "exit", "t": 1.0, "code": 0, "reason": "ended", "cpu_s": 0.0})
    assert 9_000 < (tmp_path / "log.jsonl").stat().st_size < 10_200
    assert read_log(tmp_path / "log.jsonl").exit.reason == "ended"
    assert capfd.readouterr().out == (tmp_path / "log.jsonl").read_text()


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


def test_a_log_on_a_full_disk_does_not_end_the_child(job, small_disk):
    disk = small_disk(1)
    log = disk.path / "01-child.jsonl"
    disk.fill()
    disk.free(4096)
    with Supervised(job("for n in range(300): print('x' * 100)\nprint('last')"), log) as child:
        told = []
        while (events := child.read()) is not None:
            told += events
    assert isinstance(told[-1], Exit)
    assert (told[-1].code, told[-1].reason) == (0, "ended")
    assert told[-2].text == "last"
    assert read_log(log).exit.reason == "lost"


def test_a_log_that_finds_room_again_loses_only_what_did_not_fit(job, small_disk):
    disk = small_disk(1)
    log = disk.path / "01-child.jsonl"
    disk.fill()
    disk.free(4096)
    source = "import sys\nfor n in range(300): print('x' * 100)\nprint('full')\nopen('go')"
    fifo = disk.path.parent / "go"
    os.mkfifo(fifo)
    with Supervised(job(source), log) as child:
        while (events := child.read()) is not None:
            if any(isinstance(event, Line) and event.text == "full" for event in events):
                disk.free(100_000)
                fifo.write_text("")
    assert read_log(log).exit.code == 0
    kept = [line.text for line in read_log(log).lines]
    assert 10 < len(kept) < 100
    assert set(kept) <= {"x" * 100, "full"}


def test_ballast_is_given_up_for_the_log(job, small_disk):
    disk = small_disk(1)
    log, ballast = disk.path / "01-child.jsonl", disk.path / "ballast"
    ballast.write_bytes(b"\0" * 200_000)
    disk.fill()
    with Supervised(job("for n in range(300): print('x' * 100)", ballast=ballast), log) as child:
        while child.read() is not None:
            pass
    assert not ballast.exists()
    assert len(read_log(log).lines) == 300
    assert read_log(log).exit.code == 0


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
