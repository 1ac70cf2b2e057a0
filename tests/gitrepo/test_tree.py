"""Files added to trees, against git's own index."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfdb.gitrepo import Clash, add_files, files_below, folders_below, node_at
from perfdb.gitrepo.commands import Git


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Git:
    folder = tmp_path_factory.mktemp("repo")
    made = Git(folder, {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull})
    made.run("init", "--quiet", "--bare")
    return made


def blob(repo: Git, text: str) -> str:
    return repo.line("hash-object", "-w", "--stdin", given=text.encode())


def by_an_index(repo: Git, files: dict[str, str], index: Path) -> str:
    """The tree that git makes of the same files over an index."""
    index.unlink(missing_ok=True)
    git = Git(repo.folder, {"GIT_INDEX_FILE": str(index)})
    lines = "".join(f"100644 {object_id}\t{path}\0" for path, object_id in files.items())
    git.run("update-index", "-z", "--index-info", given=lines.encode())
    return git.line("write-tree")


NAME = st.sampled_from(["a", "a.b", "a-b", "a0", "b", "é", "x y", "_m"])
PATHS = st.lists(st.lists(NAME, min_size=1, max_size=4).map("/".join), unique=True, max_size=12)


def _without_files_for_folders(paths: list[str]) -> list[str]:
    return [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS.map(_without_files_for_folders), st.integers(0, 12))
def test_the_tree_is_the_one_that_git_would_make(repo: Git, tmp_path: Path, paths: list[str], cut: int) -> None:
    files = {path: blob(repo, path) for path in paths}
    first, second = dict(list(files.items())[:cut]), dict(list(files.items())[cut:])
    tree, new, clashes = add_files(repo, None, first)
    assert (new, clashes) == (set(first), [])
    tree, new, clashes = add_files(repo, tree, second)
    assert (new, clashes) == (set(second), [])
    assert tree == by_an_index(repo, files, tmp_path / "index")
    assert add_files(repo, tree, files) == (tree, set(), [])


def test_what_is_taken_stays_and_is_told(repo: Git) -> None:
    one, two = blob(repo, "one"), blob(repo, "two")
    tree, _, _ = add_files(repo, None, {"file": one, "folder/file": one})
    after, new, clashes = add_files(repo, tree, {"file": two, "file/below/it": two, "folder": two, "new": two})
    assert new == {"new"}
    assert [clash.path for clash in clashes] == ["file", "file", "folder"]
    assert all(isinstance(clash, Clash) and clash.why for clash in clashes)
    assert node_at(repo, after, "file").object_id == one
    assert set(files_below(repo, after, "folder")) == {"folder/file"}


def test_folders_are_listed_at_any_depth_and_nothing_where_there_is_none(repo: Git) -> None:
    tree, _, _ = add_files(repo, None, {"r/a/b/file": blob(repo, "x"), "other/file": blob(repo, "x")})
    assert {"r/a", "r/a/b"} <= folders_below(repo, tree, "r") <= {"r", "r/a", "r/a/b"}
    assert folders_below(repo, tree, "nowhere") == set() and files_below(repo, tree, "nowhere") == {}
