"""deploy/github/: the script that judges a contribution, on real repositories, and the workflow around it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.registry.validator.honest import honest
from tests.registry.validator.repositories import WHO, commit, git, repository

FOLDER = Path(__file__).parents[2] / "deploy" / "github"
SCRIPT = FOLDER / "check-contribution.sh"
WORKFLOW = (FOLDER / "validate-contribution.yml").read_text(encoding="utf-8")
PERFDB = Path(sys.executable).with_name("perfdb")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A clone that stands on the base; the contribution is made in another one."""
    repository(tmp_path / "theirs")
    git(tmp_path, "clone", "--quiet", str(tmp_path / "theirs"), str(tmp_path / "base"))
    git(tmp_path / "theirs", "switch", "--quiet", "--create", "contribution")
    return tmp_path / "base"


def check(repo: Path, below: str = ".") -> tuple[int, str, list[str]]:
    """Commit what lies in their clone, fetch it as objects, judge it."""
    commit(repo.parent / "theirs", "contribute")
    git(repo, "fetch", "--quiet", "origin", "contribution")
    before = sorted(repo.rglob("*.py"))
    env = {k: v for k, v in os.environ.items() if not k.startswith("PERFDB_")}
    done = subprocess.run(
        [str(SCRIPT), "origin/main", git(repo, "rev-parse", "FETCH_HEAD"), str(repo.parent / "out")],
        cwd=repo / below,
        env={**env, **WHO, "PERFDB": str(PERFDB)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    assert sorted(repo.rglob("*.py")) == before
    assert not (repo / "mlruns").exists()
    out = repo.parent / "out"
    return done.returncode, (out / "comment.md").read_text(), (out / "labels.txt").read_text().split()


def test_a_good_contribution_passes(repo: Path):
    honest().write(repo.parent / "theirs" / "mlruns")
    code, comment, labels = check(repo)
    assert (code, labels) == (0, [])
    assert "nothing is wrong" in comment


def test_a_bad_contribution_fails_with_every_fault_in_the_comment(repo: Path):
    folder = honest().write(repo.parent / "theirs" / "mlruns")
    (folder / "artifacts" / "more").touch()
    (repo.parent / "theirs" / "README.md").write_text("mine\n")
    code, comment, _ = check(repo)
    assert code == 5
    assert "artifacts/more" in comment
    assert "README.md" in comment


def test_a_registry_in_a_folder_of_a_larger_checkout_is_judged_there(repo: Path):
    theirs = repo.parent / "theirs"
    (theirs / "results").mkdir()
    (theirs / "results" / "perfdb.toml").write_text('registry = "records"\n')
    commit(theirs, "a place for results")
    git(theirs, "push", "--quiet", "--force", "origin", "HEAD:main") if git(theirs, "remote") else git(
        theirs, "branch", "--force", "main", "HEAD"
    )
    git(repo, "pull", "--quiet", "origin", "main")
    honest().write(theirs / "results" / "records")
    code, comment, _ = check(repo, "results")
    assert (code, "nothing is wrong" in comment) == (0, True)


def test_a_config_is_labelled_as_code(repo: Path):
    (repo.parent / "theirs" / "parsl-configs" / "slurm_hopper.py").write_text("config = None\n")
    code, comment, labels = check(repo)
    assert (code, labels) == (0, ["contains-code"])
    assert "is code" in comment


def test_what_cannot_be_judged_is_no_pass(repo: Path):
    done = subprocess.run(
        [str(SCRIPT), "origin/main", "nowhere", str(repo.parent / "out")],
        cwd=repo,
        env={**os.environ, **WHO, "PERFDB": str(PERFDB)},
        check=False,
        capture_output=True,
    )
    assert done.returncode == 2
    assert "could not be judged" in (repo.parent / "out" / "comment.md").read_text()


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_the_script_is_clean():
    subprocess.run(["shellcheck", str(SCRIPT)], check=True)


def test_the_workflow_runs_no_text_that_a_contributor_chose():
    scripts = re.findall(r"^ +run: (?:\|\n((?:(?: {10,}.*)?\n)+)|(.*)\n)", WORKFLOW, re.MULTILINE)
    assert len(scripts) == 5
    assert not any("${{" in script for pair in scripts for script in pair)
    chosen = ("head.ref", "head.label", "title", ".body", "head_ref", "user.login")
    expressions = re.findall(r"\$\{\{(.*?)\}\}", WORKFLOW)
    assert not any(word in expression for expression in expressions for word in chosen)


def test_the_workflow_checks_out_the_base_with_the_least_rights():
    assert re.findall(r"^ +ref: (.*)$", WORKFLOW, re.MULTILINE) == ["${{ github.event.pull_request.base.sha }}"]
    assert "\npermissions: {}\n" in WORKFLOW
    assert re.findall(r"^ +([a-z-]+): write$", WORKFLOW, re.MULTILINE) == ["pull-requests"]
    assert all(re.search(r"@v\d", line) for line in re.findall(r"uses: (.*)", WORKFLOW))


def test_a_tree_without_end_in_place_of_configs_comes_to_an_end(repo: Path):
    theirs = repo.parent / "theirs"

    def folder(entries: str) -> str:
        done = subprocess.run(
            ["git", "mktree", "-z"], cwd=theirs, input=entries.encode(), capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    tree = folder(f"100644 blob {git(theirs, 'rev-parse', 'main:README.md')}\ta\0")
    for _ in range(18):
        tree = folder("".join(f"040000 tree {tree}\t{n}\0" for n in range(10)))
    git(
        theirs,
        "reset",
        "--quiet",
        "--soft",
        git(theirs, "commit-tree", "-p", "main", "-m", "x", folder(f"040000 tree {tree}\tparsl-configs\0")),
    )
    git(repo, "fetch", "--quiet", "origin", "contribution")
    done = subprocess.run(
        [str(SCRIPT), "origin/main", git(repo, "rev-parse", "FETCH_HEAD"), str(repo.parent / "out")],
        cwd=repo,
        env={**os.environ, **WHO, "PERFDB": str(PERFDB)},
        check=False,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 5
    assert (repo.parent / "out" / "labels.txt").read_text().split() == ["contains-code"]
