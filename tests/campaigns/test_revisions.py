"""Rows of commits and releases: real git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from perfdb.campaigns.revisions import commits_between, releases_between
from perfdb.errors import UsageError

KNOWN = tuple(f"2024.{month}.1" for month in range(1, 11))


def git(folder: Path, *arguments: str) -> str:
    author = ["-c", "user.name=Nobody", "-c", "user.email=nobody@invalid.example"]
    done = subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, message: str) -> str:
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    return tmp_path


def test_commits_come_oldest_first_with_up_to_three_on_each_side(checkout):
    row = [commit(checkout, str(number)) for number in range(12)]
    found = commits_between(checkout, row[5], row[7])
    assert found.names == tuple(row[2:11])
    assert (found.names[found.first], found.names[found.last]) == (row[5], row[7])


def test_the_first_commit_and_the_last_one_have_nothing_beside_them(checkout):
    row = [commit(checkout, str(number)) for number in range(3)]
    found = commits_between(checkout, row[0], "HEAD")
    assert (found.names, found.first, found.last) == (tuple(row), 0, 2)


def test_a_merge_counts_where_it_was_merged(checkout):
    first = commit(checkout, "first")
    git(checkout, "checkout", "--quiet", "-b", "side")
    commit(checkout, "aside")
    git(checkout, "checkout", "--quiet", "main")
    second = commit(checkout, "second")
    git(checkout, "merge", "--quiet", "--no-ff", "-m", "merged", "side")
    assert commits_between(checkout, "HEAD~2", "main").names == (first, second, git(checkout, "rev-parse", "HEAD"))


def test_from_a_commit_on_a_side_branch_the_way_to_the_other_is_taken(checkout):
    commit(checkout, "first")
    git(checkout, "checkout", "--quiet", "-b", "side")
    aside = commit(checkout, "aside")
    further = commit(checkout, "further aside")
    git(checkout, "checkout", "--quiet", "main")
    commit(checkout, "second")
    git(checkout, "merge", "--quiet", "--no-ff", "-m", "merged", "side")
    found = commits_between(checkout, aside, "main")
    assert found.names[found.first : found.last + 1] == (aside, further, git(checkout, "rev-parse", "HEAD"))


@pytest.mark.parametrize(("good", "bad"), [("HEAD", "HEAD~1"), ("HEAD", "HEAD")])
def test_ends_the_wrong_way_round_are_told(checkout, good, bad):
    commit(checkout, "1")
    commit(checkout, "2")
    with pytest.raises(UsageError, match="does not come after"):
        commits_between(checkout, good, bad)


def test_what_is_no_commit_is_told_even_if_it_looks_like_an_option(checkout):
    commit(checkout, "1")
    with pytest.raises(UsageError, match="knows no commit '--all'"):
        commits_between(checkout, "HEAD", "--all")


def test_releases_come_with_up_to_three_on_each_side():
    found = releases_between(KNOWN, "2024.3.1", "2024.5.1")
    assert found.names == KNOWN[:8]
    assert (found.names[found.first], found.names[found.last]) == ("2024.3.1", "2024.5.1")


def test_a_release_that_is_none_is_told_with_its_neighbours():
    with pytest.raises(UsageError, match=r"nearest are 2024\.2\.1 and 2024\.3\.1"):
        releases_between(KNOWN, "2024.2.5", "2024.5.1")
