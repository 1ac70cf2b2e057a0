"""Facts about a checkout, without touching it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from perfdb.errors import RegistryError
from perfdb.gitrepo import Repository, checkout_of, commit_of, export

SOMEBODY = {
    **{
        f"GIT_{who}_{what}": f"nobody{'@example.org' * (what == 'EMAIL')}"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(folder, *args):
    env = {**os.environ, **SOMEBODY}
    done = subprocess.run(["git", "-C", folder, *args], env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repo(tmp_path):
    """Two commits; the second one has `b/file` too."""
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "file").write_text("one")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=one")
    (folder / "file").write_text("two")
    (folder / "b").mkdir()
    (folder / "b" / "file").write_text("two")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=two")
    return folder


def test_a_checkout_stands_at_its_commit(repo):
    found = checkout_of(repo)
    assert found.commit == git(repo, "rev-parse", "HEAD")
    assert found.first_commit == git(repo, "rev-parse", "HEAD~1")
    assert not found.dirty


def test_a_folder_below_belongs_to_the_checkout(repo):
    assert checkout_of(repo / "b") == checkout_of(repo)


def test_a_change_makes_it_dirty_and_a_new_file_does_not(repo):
    (repo / "new").write_text("records are new files")
    assert not checkout_of(repo).dirty
    (repo / "file").write_text("three")
    assert checkout_of(repo).dirty
    git(repo, "add", ".")
    assert checkout_of(repo).dirty


def test_a_detached_head_is_a_commit_too(repo):
    git(repo, "checkout", "--quiet", "--detach", "HEAD~1")
    assert checkout_of(repo).commit == git(repo, "rev-parse", "main~1")


def test_where_there_is_no_commit_nothing_is_known(tmp_path):
    assert checkout_of(tmp_path) is None
    assert checkout_of(tmp_path / "never-made") is None
    git(tmp_path, "init", "--quiet")
    assert checkout_of(tmp_path) is None


@pytest.mark.parametrize("damage", ["", "ref: refs/heads/none\n", "garbage", "\0"])
def test_a_damaged_repository_is_as_good_as_none(repo, damage):
    (repo / ".git" / "HEAD").write_text(damage)
    assert checkout_of(repo) is None


def test_refs_name_commits(repo):
    head = git(repo, "rev-parse", "HEAD")
    git(repo, "tag", "--annotate", "--message=x", "v1")
    for ref in ("HEAD", "main", "v1", head[:10]):
        assert commit_of(repo, ref) == head
    assert commit_of(repo, "HEAD~1") == git(repo, "rev-parse", "HEAD~1")


@pytest.mark.parametrize("ref", ["no-such-branch", "", "--all", "-h", "HEAD^{tree}", "HEAD:file", "a\nb"])
def test_what_names_no_commit_is_none(repo, ref):
    assert commit_of(repo, ref) is None


def test_an_export_is_the_commits_files_and_leaves_the_checkout_alone(repo, tmp_path):
    (repo / "file").write_text("changed since")
    (repo / "new").write_text("new")
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in repo.rglob("*") if p.is_file()}
    target = tmp_path / "exported"
    target.mkdir()
    export(repo, git(repo, "rev-parse", "HEAD"), target)
    assert {str(p.relative_to(target)): p.read_text() for p in target.rglob("*") if p.is_file()} == {
        "file": "two",
        "b/file": "two",
    }
    assert before == {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in repo.rglob("*") if p.is_file()}


def test_an_older_commit_can_be_exported(repo, tmp_path):
    export(repo, git(repo, "rev-parse", "HEAD~1"), tmp_path / "old")
    assert [p.name for p in (tmp_path / "old").iterdir()] == ["file"]


def test_without_git_a_checkout_that_is_asked_for_is_told_what_to_install(repo, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RegistryError, match=r"^git cannot be started.*`perfdb doctor git`") as told:
        Repository.around(repo)
    assert "safe.directory" not in str(told.value)


def test_a_checkout_without_a_commit_is_told_how_to_make_one(tmp_path):
    git(tmp_path, "init", "--initial-branch=other")
    with pytest.raises(RegistryError, match=r"Make a first commit: git commit .+ with --base HEAD, or another"):
        Repository(tmp_path).base(None, None)
    git(tmp_path, "commit", "--allow-empty", "--message=first")
    with pytest.raises(RegistryError, match=r"Type git fetch mine; or type the same command again with --base HEAD"):
        Repository(tmp_path).base(None, "mine")


def test_without_git_nothing_is_known_and_nothing_raised(repo, tmp_path):
    program = (
        "import sys; from pathlib import Path; from perfdb.gitrepo import checkout_of, commit_of; "
        "folder = Path(sys.argv[1]); print(commit_of(folder, 'HEAD'), checkout_of(folder))"
    )
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program, repo], env=env, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("None None\n", 0), done.stderr
