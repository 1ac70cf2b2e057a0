"""The examples for mini-slurm: each alone, each resized by hand, and all of them on a mini-slurm."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfdb.minislurm import process
from tests.cli.mini_slurm.homes import Home
from tests.minislurm.desk import Desk, Program
from tests.processes.waiting import until

CHECKOUT = Path(__file__).parents[2]
EXAMPLES = CHECKOUT / "examples" / "mini-slurm"
TASKS = EXAMPLES / "tasks"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")
# π(200,000), from any table of primes.
BELOW, PRIMES = 200_000, 17_984
# Seconds of training: a busy machine may keep the test itself from running for as long as one of them.
EPOCHS = "200"


def environment(**variables: str) -> dict[str, str]:
    """This one's, without any mini-slurm's; `python3` and `mini-slurm` are those of these tests."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MINI_SLURM")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{ours['PATH']}"
    return {**ours, "PATH": path, "PYTHONPATH": str(CHECKOUT), **variables}


def task(name: str, *options: str, **variables: str) -> Program:
    command = [sys.executable, TASKS / name, *options]
    return Program(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(**variables)))


def rest(program: Program) -> list[str]:
    """All that it prints from now on; it ended well."""
    assert program.process.stdout is not None
    lines = program.process.stdout.read().splitlines()
    assert program.ended() == 0
    return lines


def line_with(program: Program, text: str) -> str:
    """Wait until it prints a line that holds `text`."""
    while text not in (line := program.line()):
        assert line, "it ended"
    return line


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    found = Home(tmp_path)
    try:
        yield found
    finally:
        found.close()


# Alone.


def test_the_network_learns() -> None:
    assert rest(task("train_neural_network.py", "--epochs", "60"))[-1].endswith("of 600 unseen points are told right")


def test_a_network_that_did_not_learn_fails() -> None:
    assert task("train_neural_network.py", "--epochs", "0").ended() == 1


def test_the_training_runs_without_mini_slurm() -> None:
    lines = rest(task("elastic_training.py", "--epochs", "3", "--samples", "300"))
    assert lines[0] == "epoch 1: no -> 2 processes"
    assert lines[-1].startswith("trained: loss ")


def test_the_pool_runs_without_mini_slurm_on_all_cpus() -> None:
    lines = rest(task("elastic_pool.py", "--below", str(BELOW)))
    assert lines[0].endswith(f"by {len(os.sched_getaffinity(0))} processes")
    assert lines[-1] == f"40 of 40 units done: {PRIMES} primes below {BELOW}"


def test_the_trainings_are_for_any_python() -> None:
    for name in ("elastic_training.py", "train_neural_network.py"):
        assert "perfdb" not in re.findall(r"^(?:import|from) (\w+)", (TASKS / name).read_text(), re.MULTILINE)


# Resized by hand.


def test_the_training_follows_the_signal_and_learns_the_same(desk: Desk) -> None:
    options = ("elastic_training.py", "--epochs", EPOCHS, "--samples", "2000")
    alone = rest(task(*options))
    program = task(*options, **desk.environment)
    line_with(program, "epoch 1: loss")
    desk.resize(4)
    program.signal()
    line_with(program, ": 2 -> 4 processes")
    desk.resize(1)
    program.signal()
    line_with(program, ": 4 -> 1 processes")
    # Sums of floats depend on their order, in the last digits.
    assert rest(program)[-1] == alone[-1]


def test_the_training_finds_a_resize_without_the_signal(desk: Desk) -> None:
    program = task("elastic_training.py", "--epochs", EPOCHS, "--samples", "2000", **desk.environment)
    line_with(program, "epoch 1: loss")
    desk.resize(3)
    line_with(program, ": 2 -> 3 processes")
    rest(program)


def test_the_pool_loses_no_unit_when_it_grows_and_shrinks(desk: Desk) -> None:
    program = task("elastic_pool.py", "--below", str(BELOW), "--unit", "500", **desk.environment)
    line_with(program, "by 2 processes")
    for cpus in (5, 1, 3):
        generation = desk.resize(cpus)
        program.signal()
        answer = desk.until_told("applied", generation)
        assert answer["cost"] == [generation, 0, 0, 0]
        line_with(program, f"-> {cpus} processes")
        assert len(process.descendants(program.process.pid)) == cpus
    assert rest(program)[-1] == f"400 of 400 units done: {PRIMES} primes below {BELOW}"


def test_a_killed_process_of_the_pool_costs_its_unit_only(desk: Desk) -> None:
    program = task("elastic_pool.py", "--below", str(BELOW), "--unit", "500", **desk.environment)
    line_with(program, "by 2 processes")
    os.kill(process.descendants(program.process.pid)[0], signal.SIGKILL)
    assert rest(program)[-1] == f"400 of 400 units done: {PRIMES} primes below {BELOW}"


# On a mini-slurm.


def test_without_mini_slurm_on_the_path_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(sys.executable)
    done = subprocess.run(
        [tmp_path / "python3", "-S", EXAMPLES / "examples.py", "elastic"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "activate the environment" in done.stderr


def test_the_example_jobs_are_submitted(home: Home) -> None:
    done = subprocess.run(
        ["python3", EXAMPLES / "examples.py", "elastic", "--pause", "0"],
        env=environment(MINI_SLURM_HOME=str(home.folder)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^Submitted job (\d)$", done.stdout, re.MULTILINE) == ["1", "2", "3"]
    jobs = home.document("queue")["jobs"]
    assert {job["id"]: job["state"] for job in jobs} == {1: "PENDING", 2: "PENDING", 3: "PENDING"}


def test_each_command_of_the_readme_does_what_it_says(home: Home, tmp_path: Path) -> None:
    home.start()
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder)
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for block in blocks:
        if block == "mini-slurm scheduler\n":
            continue  # it runs, with more CPUs than this machine may have
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", block],
            env=environment(MINI_SLURM_HOME=str(home.folder), HOME=str(home.folder)),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (block, done.stdout, done.stderr)
        live = [str(job["id"]) for job in home.document("queue")["jobs"]]
        # The last ones but the first are ended, so that there is room for the next block's.
        home.told("cancel", *[id for id in live if id != "1"])
    assert len(blocks) == 6
    assert "STATUS=" in done.stdout


def test_the_pool_makes_room_on_a_mini_slurm_and_loses_nothing(home: Home) -> None:
    home.start("--elastic-threshold", "100")
    command = (sys.executable, str(TASKS / "elastic_pool.py"), "--below", "600000", "--unit", "1000")
    pool = home.submitted("--elastic", "--cpus", "1", "--max-cpus", "4", "--mem", "512MB", *command)
    printed = home.folder / ".mini_slurm_logs" / f"job_{pool}.out"
    until(lambda: printed.exists() and "4 processes" in printed.read_text())
    urgent = home.submitted("--priority", "10", "--cpus", "7", "--mem", "512MB", "true")
    assert home.told("wait", str(urgent), str(pool), "--timeout", "60").code == 0
    lines = printed.read_text().splitlines()
    assert any(line.startswith("4 -> 1 processes") for line in lines), lines
    assert lines[-1] == "600 of 600 units done: 49098 primes below 600000"
    (history,) = home.document("events", str(pool))["jobs"]
    shrink = {event["kind"]: event for event in history["events"] if (event["cpus_from"], event["cpus_to"]) == (4, 1)}
    assert {"decided", "written", "signalled", "acknowledged", "applied"} <= set(shrink)
    assert shrink["applied"]["detail"] != "by enforcement"
