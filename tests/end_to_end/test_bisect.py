"""`perfdb bisect` over real commits of real Parsl: its own source in a repository of the test's, one commit of which is slow."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
from importlib.metadata import requires
from pathlib import Path

import parsl
import pytest

from tests.end_to_end.conftest import THREADS, Home, wait_for_line

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "parsl"
version = "2026.11.1"
dependencies = {dependencies}
[project.scripts]
parsl-perf = "parsl.benchmark.perf:cli_run"
[tool.setuptools.packages.find]
include = ["parsl*"]
"""
SUBMIT = "        return self.executor.submit(func, *args, **kwargs)"
# So slow that the wait sets the rate, whatever else the machine does: noise would only ask for more repetitions.
SLOW = "        import time\n        time.sleep(0.005)\n" + SUBMIT
QUICK = ("--time", "1.4")


def git(folder: Path, *arguments: str) -> str:
    author = ["-c", "user.name=Nobody", "-c", "user.email=nobody@invalid.example"]
    done = subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, message: str) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with Parsl's own source and one commit."""
    folder = tmp_path_factory.mktemp("bisected") / "parsl"
    folder.mkdir()
    installed = Path(parsl.__file__).parent
    shutil.copytree(installed, folder / "parsl", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    needed = [text.split(";")[0].strip() for text in requires("parsl") or () if "extra ==" not in text]
    (folder / "pyproject.toml").write_text(PROJECT.format(dependencies=json.dumps(needed)))
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "as released")
    return folder


def rewrite(folder: Path, old: str, new: str) -> None:
    path = folder / "parsl" / "executors" / "threads.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_commit_that_made_threads_slow_is_found_and_nothing_is_measured_twice(home: Home, source: Path) -> None:
    good = git(source, "rev-parse", "HEAD")
    git(source, "checkout", "--quiet", "-b", "slow")
    rewrite(source, SUBMIT, SLOW)
    culprit = commit(source, "wait before each task")
    bad = commit(source, "something else")
    ask = ("bisect", THREADS, "--repo", str(source), "--good", good, "--bad", "slow", *QUICK, "--json")

    # Interrupted in the first sitting, the same command goes on with it.
    started = home.start("perfdb", *ask, log="first.log")
    wait_for_line(started, home.root / "first.log", "[4 of 10")
    started.send_signal(signal.SIGINT)
    assert started.wait(60) == 130
    logs = list(home.root.glob(".perfdb/journal/*/logs/*.jsonl"))
    assert logs

    done = home.perfdb(*ask, timeout=600)  # a noisy machine takes more repetitions to be sure
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["answer"], told["first_bad"], told["last_good"]) == ("found", culprit, good)
    assert (told["good"], told["bad"]) == (good, bad)
    (change,) = told["changes"]
    assert change["comparison"]["verdict"] == "worse"
    assert change["comparison"]["interval"]["high"] < 0.9
    assert re.search(rf"{culprit} changed warm_tasks_per_s by -\d", told["verdict"])
    assert [step["answer"] for step in told["steps"]] == ["differ", "last"]
    records = {record["record_id"]: record for record in home.records()}
    used = {one for step in told["steps"] for ids in step["records"].values() for one in ids}
    assert used == set(records)
    assert all(record["status"] == "ok" for record in records.values())
    assert {record["code"]["measured"]["parsl_source"] for record in records.values()} == {
        f"commit {one}" for one in (good, culprit, bad)
    }
    assert home.journals() == []
    assert str(source) not in "".join(json.dumps(record) for record in records.values())

    again = home.perfdb(*ask, timeout=30)
    assert json.loads(again.stdout)["first_bad"] == culprit
    assert len(home.records()) == len(records)
    assert git(source, "status", "--porcelain") == ""


@pytest.mark.drill
def test_a_commit_that_does_not_run_and_an_odd_one_are_stepped_around(home: Home, source: Path) -> None:
    git(source, "checkout", "--quiet", "-B", "long", "main")
    good = git(source, "rev-parse", "HEAD")
    row = [good]
    for number in range(1, 8):
        if number == 2:
            rewrite(source, SUBMIT, SLOW)
        if number == 3:
            rewrite(source, SLOW, SUBMIT)
        if number == 4:
            (source / "parsl" / "__init__.py").write_text("raise RuntimeError('broken')\n")
        if number == 5:
            git(source, "checkout", "--quiet", good, "--", "parsl/__init__.py")
        if number == 6:
            rewrite(source, SUBMIT, SLOW)
        row.append(commit(source, f"number {number}"))
    done = home.perfdb(
        "bisect", THREADS, "--repo", str(source), "--good", good, "--bad", "long", *QUICK, "--json", timeout=900
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["first_bad"] == row[6]
    assert told["last_good"] == row[5]
    assert row[4] in [one["name"] for one in told["broken"]]
    assert set(told["odd"]) <= {row[2]}


@pytest.mark.drill
def test_ends_that_are_alike_are_no_change(home: Home, source: Path) -> None:
    git(source, "checkout", "--quiet", "-B", "same", "main")
    commit(source, "nothing")
    done = home.perfdb(
        "bisect", THREADS, "--repo", str(source), "--good", "main", "--bad", "same", *QUICK, "--json", timeout=300
    )
    told = json.loads(done.stdout)
    assert (done.returncode, told["first_bad"], told["answer"] in ("alike", "undecided")) == (4, None, True), (
        done.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--good", "main", "--bad", "main"], "does not come after"),
        (["--good", "main", "--bad", "nowhere"], "knows no commit 'nowhere'"),
        (["--good", "main", "--bad", "main", "--metric", "nothing"], "no metric of that name"),
    ],
)
def test_ends_that_cannot_be_are_told_at_once(home: Home, source: Path, arguments: list[str], said: str) -> None:
    done = home.perfdb("bisect", THREADS, "--repo", str(source), *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert home.records() == []


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("2024.1.8", "2024.1.1", "does not come after"),
        ("2024.1.2", "2024.2.5", "nearest are 2024.1.1 and 2024.1.8"),
        ("main", "2024.2.5", "--repo"),
    ],
)
def test_releases_that_are_none_are_told_at_once(home: Home, good: str, bad: str, said: str) -> None:
    done = home.perfdb("bisect", THREADS, "--good", good, "--bad", bad)
    assert done.returncode == 2
    assert said in done.stderr
