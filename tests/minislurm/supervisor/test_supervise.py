"""Real jobs under real supervisors: how they end, and that all of them does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.minislurm import process
from tests.minislurm.supervisor.running import Running, cgroups, until

# Forks twice, takes a session of its own, and drops its environment: as far from its job as a process gets.
DETACH = """
import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sh", ["sh", "-c", f"echo $$ > {sys.argv[1]}.new; mv {sys.argv[1]}.new {sys.argv[1]}; exec sleep 1000"], {})
    os._exit(0)
os.wait()
"""


@pytest.fixture(params=["strongest", "affinity"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path, None if request.param == "strongest" else request.param) as found:
        yield found


def _shell(line: str) -> tuple[str, str, str]:
    return ("sh", "-c", line)


@pytest.mark.parametrize("code", [0, 1, 77, 255])
def test_an_exit_code_is_told(running: Running, code: int) -> None:
    ended = running.run(*_shell(f"exit {code}"))
    assert ("exited", code, None) == (ended.why, ended.code, ended.signal)


def test_a_job_that_a_signal_ended_has_that_and_no_code(running: Running) -> None:
    ended = running.run(*_shell("kill -SEGV $$"))
    assert (ended.why, ended.code, ended.signal) == ("exited", None, signal.SIGSEGV)


def test_what_a_job_prints_is_appended_to_its_files(running: Running) -> None:
    out, err = running.folder / "out", running.folder / "err"
    out.write_text("before\n")
    running.run(*_shell("echo said; echo complained >&2"), stdout=str(out), stderr=str(err))
    assert (out.read_text(), err.read_text()) == ("before\nsaid\n", "complained\n")


def test_output_and_complaints_may_go_to_one_file(running: Running) -> None:
    both = running.folder / "both"
    running.run(*_shell("echo 1; echo 2 >&2; echo 3"), stdout=str(both), stderr=str(both))
    assert both.read_text() == "1\n2\n3\n"


def test_a_job_has_its_own_environment_folder_and_nothing_to_read(running: Running) -> None:
    (running.folder / "there").mkdir()
    order = running.order("/bin/sh", "-c", "pwd; cat; env", env={"ONLY": "this"}, cwd=str(running.folder / "there"))
    running.start(order)
    running.wait(order)
    lines = Path(order.stdout).read_text().splitlines()
    assert str(running.folder / "there") == lines[0]
    # A shell adds what it keeps itself.
    assert {"ONLY=this"} == {line for line in lines[1:] if not line.startswith(("PWD=", "SHLVL=", "_=", "OLDPWD="))}


@pytest.mark.parametrize(
    ("argv", "detail"),
    [
        (["no-such-program"], "No such file or directory: no-such-program"),
        (["./no-such-program"], "No such file or directory: ./no-such-program"),
        (["/etc/passwd"], "Permission denied: /etc/passwd"),
        (["/"], "Permission denied: /"),
    ],
)
def test_what_cannot_be_run_is_told_with_the_reason(running: Running, argv: list[str], detail: str) -> None:
    ended = running.run(*argv)
    assert ("unstarted", 127, detail) == (ended.why, ended.code, ended.detail)


@pytest.mark.parametrize("changed", ["cwd", "stdout", "stderr"])
def test_a_folder_that_is_not_there_is_named(running: Running, changed: str) -> None:
    place = str(running.folder / "nowhere" / "at-all")
    ended = running.run("true", **{changed: place})
    assert ("unstarted", f"No such file or directory: {place}") == (ended.why, ended.detail)


def test_a_pipe_without_a_reader_as_output_holds_nobody_up(running: Running) -> None:
    pipe = running.folder / "pipe"
    os.mkfifo(pipe)
    assert running.run("true", stdout=str(pipe)).why == "unstarted"


def test_a_cancelled_job_is_told_to_end_and_may_say_how_it_went(running: Running) -> None:
    ready = running.folder / "ready"
    order = running.order(*_shell(f"trap 'exit 5' TERM; touch {ready}; while :; do sleep 0.01; done"))
    supervisor = running.start(order)
    until(ready.exists)
    os.kill(supervisor.pid, signal.SIGTERM)
    ended = running.wait(order)
    assert (ended.why, ended.code) == ("cancelled", 5)


def test_a_job_that_ignores_being_told_to_end_is_ended(running: Running) -> None:
    ready = running.folder / "ready"
    order = running.order(*_shell(f"trap '' TERM; touch {ready}; while :; do sleep 0.01; done"), grace_s=0.2)
    supervisor = running.start(order)
    until(ready.exists)
    os.kill(supervisor.pid, signal.SIGTERM)
    ended = running.wait(order)
    assert (ended.why, ended.signal) == ("cancelled", signal.SIGKILL)


def test_a_process_below_a_shell_that_is_gone_has_its_grace_too(running: Running) -> None:
    ready, saved = running.folder / "ready", running.folder / "saved"
    inner = f"trap 'sleep 0.3; touch {saved}; exit' TERM; touch {ready}; while :; do sleep 0.01; done"
    order = running.order(*_shell(f'sh -c "{inner}" & wait'))
    supervisor = running.start(order)
    until(ready.exists)
    os.kill(supervisor.pid, signal.SIGTERM)
    ended = running.wait(order)
    assert (ended.why, ended.signal, saved.exists()) == ("cancelled", signal.SIGTERM, True)


def test_a_cancel_that_comes_before_the_job_runs_counts(running: Running) -> None:
    order = running.order("sleep", "1000")
    os.kill(running.start(order).pid, signal.SIGTERM)
    assert running.wait(order).why == "cancelled"


def test_a_job_over_its_time_is_ended(running: Running) -> None:
    ended = running.run("sleep", "1000", limit_s=0.2)
    assert (ended.why, ended.code, ended.signal) == ("timeout", None, signal.SIGTERM)


def test_a_time_limit_of_months_is_one(running: Running) -> None:
    assert ((ended := running.run("sleep", "0.2", limit_s=1e8)).why, ended.code) == ("exited", 0)


def test_what_a_job_leaves_behind_is_ended_with_it(running: Running) -> None:
    where = running.folder / "detached"
    ended = running.run(sys.executable, "-c", DETACH + f"\nwhile not os.path.exists({str(where)!r}): pass", str(where))
    assert (ended.why, ended.code, ended.ended) == ("exited", 0, 1)
    assert process.start_ticks(int(where.read_text())) is None


def test_what_has_detached_itself_is_ended_by_a_cancel(running: Running) -> None:
    where = running.folder / "detached"
    order = running.order(sys.executable, "-c", DETACH + "\nimport time; time.sleep(1000)", str(where))
    supervisor = running.start(order)
    until(where.exists)
    os.kill(supervisor.pid, signal.SIGTERM)
    assert running.wait(order).why == "cancelled"
    assert process.start_ticks(int(where.read_text())) is None


def test_cpu_seconds_are_those_of_all_processes(running: Running) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    ended = running.run(*_shell(f"{sys.executable} -c '{burn}' & {sys.executable} -c '{burn}'; wait"))
    assert 0.6 <= ended.cpu_s < 2.0


def test_the_journal_names_supervisor_and_job_for_ever(running: Running) -> None:
    order = running.order("sleep", "1000")
    supervisor = running.start(order)
    pid = running.until_started(order)
    journal = running.journal(order)
    assert journal.claim is not None
    assert journal.started is not None
    assert supervisor.pid == journal.claim.pid
    assert process.is_running(journal.claim.pid, journal.claim.ticks, journal.claim.boot)
    assert process.is_running(pid, journal.started.ticks, process.boot_id())
    assert [pid] == process.descendants(supervisor.pid)
    os.kill(supervisor.pid, signal.SIGTERM)
    running.wait(order)


def test_nothing_of_a_job_is_left_in_the_cgroups(running: Running) -> None:
    order = running.order("true")
    running.start(order)
    running.wait(order)
    assert cgroups(order.group) == []
