"""Environments for other Parsls: real uv, real git, a tiny project in Parsl's place so that it is quick."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from perfdb.errors import ParslInstallError
from perfdb.parsl_config.install import InstalledParsl, install, is_release, sought
from perfdb.parsl_config.remote import address
from perfdb.parsl_config.snapshot import copy_tree, tree_hash

PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "parsl"
version = "{version}"
[tool.setuptools]
packages = ["parsl"]
"""


def git(folder: Path, *arguments: str) -> str:
    author = ["-c", "user.name=Nobody", "-c", "user.email=nobody@invalid.example"]
    done = subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A checkout with two commits, 1.0 and 2.0."""
    folder = tmp_path / "source"
    (folder / "parsl").mkdir(parents=True)
    (folder / "parsl" / "__init__.py").write_text("")
    (folder / ".gitignore").write_text("build/\n*.egg-info/\nignored.py\n")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    for version in ("1.0", "2.0"):
        (folder / "pyproject.toml").write_text(PROJECT.format(version=version))
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "-m", version)
    return folder


def version_in(installed: InstalledParsl) -> str:
    told = "import importlib.metadata as m; print(m.version('parsl'))"
    return subprocess.run(
        [str(installed.python), "-c", told], check=True, capture_output=True, text=True
    ).stdout.strip()


def environments(state: Path) -> int:
    return len(list((state / "envs").iterdir()))


def test_a_changed_folder_gets_an_environment_of_its_own_and_the_first_one_stays(source, tmp_path):
    state = tmp_path / "state"
    before = install(str(source), state)
    (source / "pyproject.toml").write_text(PROJECT.format(version="3.0"))
    after = install(str(source), state)
    assert (version_in(before), version_in(after)) == ("2.0", "3.0")
    assert before.source == f"commit {git(source, 'rev-parse', 'HEAD')}"
    assert after.source is not None
    assert after.source.startswith(f"{before.source} with uncommitted changes, content ")
    (source / "pyproject.toml").write_text(PROJECT.format(version="2.0"))
    again = install(str(source), state)
    assert again == before
    assert environments(state) == 2


def test_installing_leaves_the_folder_as_it_was(source, tmp_path):
    before = sorted(source.rglob("*"))
    install(str(source), tmp_path / "state")
    assert sorted(source.rglob("*")) == before


def test_a_branch_of_a_repository_is_taken_at_the_commit_that_it_names_now(source, tmp_path):
    state = tmp_path / "state"
    url = f"git+file://{source}"
    git(source, "branch", "with/slash", "HEAD~1")
    first = install(f"{url}@with/slash", state)
    assert version_in(first) == "1.0"
    assert first.source is not None
    assert first.source.endswith(f"commit {git(source, 'rev-parse', 'HEAD~1')}")
    git(source, "branch", "--force", "with/slash", "HEAD")
    second = install(f"{url}@with/slash", state)
    assert (version_in(first), version_in(second)) == ("1.0", "2.0")
    assert install(url, state).python == second.python


def test_an_annotated_tag_is_taken_at_the_commit_that_it_marks(source, tmp_path):
    git(source, "tag", "--annotate", "v1", "-m", "v1", "HEAD~1")
    found = install(f"git+file://{source}@v1", tmp_path / "state")
    assert found.source is not None
    assert found.source.endswith(f"commit {git(source, 'rev-parse', 'HEAD~1')}")


def test_a_branch_that_a_repository_lacks_is_told_before_anything_is_made(source, tmp_path):
    with pytest.raises(ParslInstallError, match="no branch and no tag 'nowhere'"):
        install(f"git+file://{source}@nowhere", tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_a_repository_that_does_not_answer_is_told_without_its_password(tmp_path):
    with pytest.raises(ParslInstallError, match="does not answer") as caught:
        install(f"git+file://user:FAKE-pass@localhost{tmp_path}/nothing@main", tmp_path / "state")
    assert "FAKE-pass" not in str(caught.value)


@pytest.mark.parametrize("asked", ["git+ext::sh -c id", "git+nowhere", "git+http://[::1@x"])
def test_an_address_that_git_would_run_as_a_command_is_refused(asked):
    with pytest.raises(ParslInstallError, match="no address of a git repository"):
        address(asked)


def test_what_does_not_install_leaves_nothing_behind(source, tmp_path):
    (source / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ParslInstallError, match="could not be installed"):
        install(str(source), tmp_path / "state")
    assert environments(tmp_path / "state") == 0


def test_what_is_copied_is_what_git_would_commit(source, tmp_path):
    (source / "ignored.py").write_text("left out")
    (source / "untracked.py").write_text("kept")
    (source / "link").symlink_to("untracked.py")
    copy_tree(source, tmp_path / "copy")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == [
        ".gitignore", "link", "parsl", "pyproject.toml", "untracked.py"
    ]  # fmt: skip
    assert (tmp_path / "copy" / "link").is_symlink()


def test_a_folder_without_git_is_copied_without_what_builds_left(source, tmp_path):
    git(source, "rev-parse", "HEAD")
    (source / ".git").rename(tmp_path / "elsewhere")
    (source / "parsl.egg-info").mkdir()
    (source / "parsl" / "__pycache__").mkdir()
    (source / "parsl" / "__pycache__" / "x.pyc").write_text("")
    (source / "env").mkdir()
    (source / "env" / "pyvenv.cfg").write_text("")
    copy_tree(source, tmp_path / "copy")
    assert sorted(str(p.relative_to(tmp_path / "copy")) for p in (tmp_path / "copy").rglob("*")) == [
        ".gitignore", "parsl", "parsl/__init__.py", "pyproject.toml"
    ]  # fmt: skip


def test_the_hash_tells_a_moved_file_and_a_moved_boundary(tmp_path):
    hashes = set()
    for number, (name, text) in enumerate([("a", "filex"), ("afile", "x"), ("b", "x"), ("b", "y")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_text(text)
        hashes.add(tree_hash(folder))
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("asked", "version", "source_"),
    [
        ("2025.8.4", "2025.8.4", None),
        ("1.1.0.post1", "1.1.0.post1", None),
        ("my/branch", None, "Parsl's own repository at my/branch"),
        ("git+https://github.com/Parsl/parsl", None, "Parsl's own repository at HEAD"),
        ("git+https://user:FAKE-pass@invalid.example/x", None, "git+https://<host>"),
        ("\0", None, "what is no release, no folder and no git reference"),
    ],
)
def test_a_parsl_that_does_not_install_can_still_be_named(asked, version, source_):
    assert (sought(asked).version, sought(asked).source) == (version, source_)


def test_a_folder_and_a_commit_are_named_without_their_path(source):
    head = git(source, "rev-parse", "HEAD")
    assert sought(str(source)).source == f"commit {head}"
    assert sought(f"{source}@HEAD").source == f"commit {head}"
    assert "path" not in str(sought(f"{source}@nowhere"))


def test_dates_and_old_numbers_are_releases():
    assert [is_release(text) for text in ("2025.8.4", "2023.10.16", "1.2.0", "2025.8.4.dev1")] == [True] * 4
    assert [is_release(text) for text in ("master", "2025.8", "2025.8.4/..", "")] == [False] * 4
