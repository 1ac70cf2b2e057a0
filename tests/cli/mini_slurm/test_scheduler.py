"""`mini-slurm scheduler`."""

from __future__ import annotations

import os
import pty
import signal
import subprocess

import pytest

from tests.cli.mini_slurm.homes import PROGRAM, Home


def test_it_tells_what_it_offers_once_it_is_ready(home: Home) -> None:
    ready = home.start("--mem", "512M", "--elastic-threshold", "40.0", "--cooldown", "3")
    assert home.scheduler is not None
    assert (home.scheduler.pid, str(home.folder)) == (ready["pid"], ready["home"])
    offer = ready["offer"]
    assert (
        *(offer["cpus"], offer["mem_mb"], offer["elastic"]),
        *(offer["threshold_percent"], offer["cooldown_s"]),
    ) == (8, 512, True, 40.0, 3.0)
    assert ready["pid"] == home.document("stats")["scheduler_pid"]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--elastic-threshold", "-1"), 2, "Type percent from 0 to 100"),
        (("--elastic-threshold", "101"), 2, "Type percent from 0 to 100"),
        (("--elastic-threshold", "nan"), 2, "Type percent from 0 to 100"),
        (("--cooldown", "-1"), 2, "is no time"),
        (("--cooldown", "inf"), 2, "is no time"),
        (("--cpus", "0"), 2, "at least one CPU"),
        (("--cpus", "99999"), 2, "--overcommit"),
        (("--mem", "much"), 2, "is no amount of memory"),
        (("--mem", "9999T"), 2, "--mem"),
    ],
)
def test_what_can_not_be_offered_is_refused(home: Home, words: tuple[str, ...], code: int, says: str) -> None:
    said = home.told("scheduler", *words)
    assert (code, "") == (said.code, said.out)
    assert says in said.err
    assert "Traceback" not in said.err


def test_a_second_one_is_refused_and_told_of_the_first(served: Home) -> None:
    assert served.scheduler is not None
    code, out, err = served.told("scheduler")
    assert (code, out) == (1, "")
    assert str(served.scheduler.pid) in err


def test_it_ends_in_good_order_and_the_next_one_has_its_jobs(home: Home) -> None:
    home.start()
    go = home.folder / "go"
    os.mkfifo(go)
    id = home.submitted("--shell", f"read line < {go}; exit 0")
    while home.document("show", str(id))["jobs"][0]["state"] == "PENDING":
        pass
    assert home.stop() == 0
    assert home.document("stats")["scheduler_pid"] is None
    home.start()
    go.write_text("on\n")
    assert home.told("wait", str(id)).code == 0


def test_elsewhere_than_on_a_terminal_one_line_says_that_it_is_ready(home: Home) -> None:
    home.start()
    assert home.told("wait", str(home.submitted("true"))).code == 0
    home.stop()
    assert (home.folder / "scheduler.err").read_text().count("\n") == 1


def test_jobs_that_waited_for_it_start_before_it_says_that_it_is_ready(home: Home) -> None:
    id = home.submitted("--array", "0-3", "--mem", "8M", "true")
    ready = home.start()
    assert ready["pid"] == home.document("stats")["scheduler_pid"]
    assert home.told("wait", str(id)).code == 0
    home.stop()
    (line,) = (home.folder / "scheduler.err").read_text().splitlines()
    assert line.startswith("ready: 8 CPUs")


def test_on_a_terminal_each_start_and_end_is_told(home: Home) -> None:
    ours, theirs = pty.openpty()
    running = subprocess.Popen([*PROGRAM, "scheduler"], stderr=theirs, stdout=subprocess.DEVNULL, env=home.environment)
    os.close(theirs)
    try:
        told = os.read(ours, 4096).decode()
        id = home.submitted("--mem", "8M", "true")
        assert home.told("wait", str(id)).code == 0
    finally:
        running.send_signal(signal.SIGINT)
        while True:
            try:
                told += os.read(ours, 4096).decode()
            except OSError:  # the other end is closed
                break
        os.close(ours)
        code = running.wait(60)
    assert code == 0
    assert "COMPLETED" in told
    assert told.count(f"job {id}") >= 2


def test_without_elasticity_nothing_is_resized(home: Home) -> None:
    offer = home.start("--disable-elastic")["offer"]
    assert offer["elastic"] is False
