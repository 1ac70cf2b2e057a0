"""`perfdb init`: what it makes works, and what is there stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from perfdb.cli.init import init
from perfdb.cli.starter import parts
from perfdb.errors import RegistryError, UsageError
from tests.contribute.world import NOBODYS, Clone, document, git

CHECKOUT = Path(__file__).parents[2]
app = typer.Typer()
app.command()(init)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder that is no checkout, with nobody's git."""
    for name, value in NOBODYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def made(*arguments: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(typed(*arguments, "--json"))
    return said


def files_in(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        name: path.read_bytes() for path in found if not (name := str(path.relative_to(folder))).startswith(".git/")
    }


def done(said: dict[str, Any]) -> dict[str, str]:
    return {file["path"]: file["done"] for file in said["files"]}


def test_all_parts_are_written_and_nothing_is_committed(tmp_path: Path) -> None:
    said = made("deep/results")
    folder = tmp_path / "deep" / "results"
    assert files_in(folder) == {part.path: part.data for part in parts()}
    assert set(done(said).values()) == {"written"}
    assert (said["git"], git(folder, "symbolic-ref", "--short", "HEAD")) == ("made", "main")
    assert git(folder, "rev-parse", "--verify", "--quiet", "HEAD", check=False) == ""
    assert git(folder, "diff", "--cached", "--name-only") == ""
    assert os.access(folder / ".github" / "check-contribution.sh", os.X_OK)


def test_the_second_time_changes_nothing(tmp_path: Path) -> None:
    typed("results")
    clone = Clone(tmp_path / "results", tmp_path / "state")
    before = clone.state_of_everything()
    said = made("results")
    assert set(done(said).values()) == {"same"}
    assert said["git"] == "there"
    assert clone.state_of_everything() == before


def test_a_file_that_differs_is_kept_and_told(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine\n")
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "perfdb.toml").symlink_to("nowhere")
    (tmp_path / "requirements.txt").mkdir()
    said = typed()
    assert (tmp_path / "README.md").read_text() == "mine\n"
    assert (tmp_path / "perfdb.toml").readlink() == Path("nowhere") and not (tmp_path / "nowhere").exists()
    kept = [line.split()[0] for line in said.splitlines() if "kept: it differs" in line]
    assert kept == ["README.md", "perfdb.toml", "requirements.txt"]
    assert (tmp_path / "mlruns" / ".gitkeep").exists()


def test_a_script_that_lost_its_right_to_run_gets_it_back(tmp_path: Path) -> None:
    typed()
    script = tmp_path / ".github" / "check-contribution.sh"
    script.chmod(0o644)
    assert done(made())[".github/check-contribution.sh"] == "same"
    assert script.stat().st_mode & 0o111 == 0o111


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine\n")
    said = made("--dry-run")
    assert (done(said)["README.md"], done(said)["perfdb.toml"]) == ("kept", "written")
    assert "would be written" in typed("--dry-run")
    assert made("results", "--dry-run")["next"][:2] == ["perfdb init results", "cd results"]
    assert [path.name for path in tmp_path.rglob("*")] == ["README.md"]


def test_a_repository_that_is_there_keeps_its_branch_and_its_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=first")
    git(tmp_path, "remote", "add", "origin", "file:///nowhere")
    head = git(tmp_path, "rev-parse", "HEAD")
    said = made()
    assert (said["git"], git(tmp_path, "rev-parse", "trunk")) == ("there", head)


def test_what_was_written_is_to_be_committed_and_pushed_and_nothing_else(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "file:///nowhere")
    assert [word for word in made()["next"] if word.startswith("git ")] == [
        "git add .",
        'git commit -m "Start a results repository"',
        "git push -u origin HEAD",
    ]
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=first")
    assert not any(command.startswith("git ") for command in made()["next"])
    (tmp_path / "README.md").unlink()
    (tmp_path / "perfdb.toml").unlink()
    assert made()["next"][:3] == [
        "git add README.md perfdb.toml",
        'git commit -m "Add what a results repository needs"',
        "git push -u origin HEAD",
    ]


def test_that_the_requirements_lack_perfdb_is_told_until_they_do_not(tmp_path: Path) -> None:
    assert "lacks a line for perfdb itself" in typed()
    assert "lacks a line for perfdb itself" in typed()
    with (tmp_path / "requirements.txt").open("a") as requirements:
        requirements.write("perfdb @ https://example.org/perfdb.whl\n")
    assert "lacks a line" not in typed()


def test_below_the_top_of_a_checkout_it_refuses_until_that_is_one_of_its_own(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UsageError, match=r"lies in the git checkout .* git init "):
        typed("results")
    assert not (tmp_path / "results").exists()
    git(tmp_path, "init", "--quiet", "results")
    assert made("results")["git"] == "there"


def test_perfdbs_own_checkout_is_left_alone_unless_it_is_named(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "perfdb"\n')
    with pytest.raises(UsageError, match=r"perfdb's own checkout.*perfdb init \.\./results"):
        typed()
    assert files_in(tmp_path).keys() == {"pyproject.toml"}
    assert made(".")["git"] == "there"


@pytest.mark.parametrize("name", ["perfdb-results", 'x"'], ids=["another project", "no TOML"])
def test_another_project_is_no_perfdb(tmp_path: Path, name: str) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
    typed()


def test_a_place_that_cannot_be_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(UsageError, match="taken is a file"):
        typed("taken")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / ".github").touch()
    with pytest.raises(RegistryError, match=r"a file stands where a folder belongs.*type the same command again"):
        typed("results")


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(RegistryError, match=r"git cannot be started: .* Install git"):
        typed("results")


def test_what_it_makes_works_up_to_a_contribution_and_its_judgement(tmp_path: Path) -> None:
    typed("results")
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    results = Clone(tmp_path / "results", tmp_path / "state")
    for command in (["validate"], ["configs"], ["list"]):
        run = results.perfdb(*command)
        assert run.returncode == 0, run.stdout + run.stderr
    results.git("add", ".")
    results.git("commit", "--quiet", "--message=Start a results repository")
    results.git("remote", "add", "origin", (tmp_path / "remote.git").as_uri())
    results.git("push", "--quiet", "-u", "origin", "HEAD")
    (tmp_path / "table.csv").write_text("rate\n981\n")
    (tmp_path / "map.toml").write_text('[metrics.rate]\ncolumn = "rate"\nunit = "tasks/s"\ndirection = "higher"\n')
    imported = results.perfdb(
        "import", "csv", "../table.csv", "--mapping", "../map.toml", "--date", "2024-02-01", "--json"
    )
    (record_id,) = document(imported)["added"]
    sent = results.perfdb("contribute", "--push")
    assert sent.returncode == 0, sent.stdout + sent.stderr
    (branch,) = git(tmp_path / "remote.git", "for-each-ref", "--format=%(refname:short)", "refs/heads/results").split()
    # The other side: a clone of main, the branch fetched as objects, judged by the script that init put there.
    git(tmp_path, "clone", "--quiet", (tmp_path / "remote.git").as_uri(), "theirs")
    git(tmp_path / "theirs", "fetch", "--quiet", "origin", branch)
    judged = subprocess.run(
        [".github/check-contribution.sh", "origin/main", "FETCH_HEAD", str(tmp_path / "verdict")],
        cwd=tmp_path / "theirs",
        env={**results.environment(), "PERFDB_ROOT": "", "PERFDB": str(Path(sys.executable).with_name("perfdb"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "nothing is wrong" in (tmp_path / "verdict" / "comment.md").read_text()
    assert (tmp_path / "verdict" / "labels.txt").read_text() == ""
    assert record_id in git(tmp_path / "remote.git", "ls-tree", "-r", "--name-only", branch)


def test_a_wheel_has_every_file_and_starts_the_same_repository(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(CHECKOUT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    subprocess.run(
        [sys.executable, "-c", "from perfdb.cli import main; main()", "init", "results"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        check=True,
        capture_output=True,
    )
    assert files_in(tmp_path / "results") == {part.path: part.data for part in parts()}


def test_what_the_checkout_has_elsewhere_is_there_once() -> None:
    files = CHECKOUT / "perfdb" / "cli" / "starter" / "files"
    linked = {
        path.name: path.resolve().relative_to(CHECKOUT).as_posix() for path in files.iterdir() if path.is_symlink()
    }
    assert linked == {
        "check-contribution.sh": "deploy/github/check-contribution.sh",
        "local_htex.py": "parsl-configs/local_htex.py",
        "publish-report.yml": "deploy/github/publish-report.yml",
        "requirements.txt": "requirements/base.txt",
        "validate-contribution.yml": "deploy/github/validate-contribution.yml",
    }
