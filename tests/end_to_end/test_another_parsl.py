"""--parsl: a release, a folder, a commit; each in an environment of its own, each told apart in the record."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.end_to_end.conftest import QUICK, THREADS, Home

RELEASE = "2026.10.26"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parsl's real source, as a git checkout with two commits; only the second one says that it is ours."""
    folder = tmp_path_factory.mktemp("source")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "parsl", f"parsl=={RELEASE}"]
    subprocess.run(pip, cwd=folder, check=True, capture_output=True)
    (archive,) = folder.glob("parsl-*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    archive.unlink()
    (source,) = folder.iterdir()
    author = ["-c", "user.name=Nobody", "-c", "user.email=nobody@invalid.example"]
    for command in (["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "-m", "as released"]):
        subprocess.run(["git", *command], cwd=source, check=True)
    (source / "parsl" / "version.py").write_text('VERSION = "2026.11.1+ours"\n')
    subprocess.run(["git", *author, "commit", "--quiet", "-am", "ours"], cwd=source, check=True)
    return source


def commit(source: Path, ref: str) -> str:
    return subprocess.run(
        ["git", "rev-parse", ref], cwd=source, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_release_is_installed_once_and_found_again(home: Home) -> None:
    for _ in range(2):
        done = home.perf(THREADS, *QUICK, "--parsl", "2024.6.3")
        assert done.returncode == 0, done.stderr + done.stdout
    first, second = home.records()
    for record in (first, second):
        assert record["code"]["measured"] == {"parsl": "2024.6.3"}
        assert record["environment"]["submit_host"]["packages"]["parsl"] == "2024.6.3"
        assert [m for m in record["metrics"] if m["name"] == "task_latency_p50_s"]
    assert len(list((home.root / ".perfdb" / "envs").iterdir())) == 1


def test_a_folder_is_measured_as_it_stands(home: Home, checkout: Path) -> None:
    done = home.perf(THREADS, *QUICK, "--no-probe", "--parsl", str(checkout))
    assert done.returncode == 0, done.stderr + done.stdout
    (record,) = home.records()
    assert record["code"]["measured"]["parsl"] == "2026.11.1+ours"
    assert record["code"]["measured"]["parsl_source"] == f"commit {commit(checkout, 'HEAD')}"
    assert str(checkout) not in str(record)


def test_an_earlier_commit_is_measured_and_the_checkout_left_alone(home: Home, checkout: Path) -> None:
    before = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, check=True, capture_output=True).stdout
    done = home.perf(THREADS, *QUICK, "--no-probe", "--parsl", f"{checkout}@HEAD~1")
    assert done.returncode == 0, done.stderr + done.stdout
    (record,) = home.records()
    assert record["code"]["measured"]["parsl"] == RELEASE
    assert record["code"]["measured"]["parsl_source"] == f"commit {commit(checkout, 'HEAD~1')}"
    after = subprocess.run(["git", "status", "--porcelain"], cwd=checkout, check=True, capture_output=True).stdout
    assert before == after


def test_a_commit_that_is_not_there_is_told(home: Home, checkout: Path) -> None:
    done = home.perf(THREADS, *QUICK, "--parsl", f"{checkout}@no-such-branch")
    assert done.returncode == 1
    assert "no-such-branch" in done.stderr
    assert "Traceback" not in done.stderr
    assert home.records() == []
