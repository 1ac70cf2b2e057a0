"""git itself, run so that it works on the repository we say and speaks fit for a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfdb.gitrepo import GitFailed
from perfdb.gitrepo.commands import LONGEST_WORDS, Git, words


def test_complaints_are_kept_and_hints_and_credentials_are_not():
    said = (
        "Enumerating objects: 3\nremote: no, https://me:not-a-secret@host.example/x\n"
        "hint: try harder\nerror: failed to push to 'https://not-a-token@host.example/x'\n"
    )
    assert words(said) == "remote: no, https://host.example/x error: failed to push to 'https://host.example/x'"


def test_where_nothing_complains_all_is_kept_in_one_line_of_bounded_length():
    assert words("one\r\ntwo\x1b[2J\n") == "one two [2J"
    assert len(words("x" * 10_000)) == LONGEST_WORDS + 1


def test_what_git_refuses_is_an_error_with_its_words(tmp_path: Path):
    with pytest.raises(GitFailed, match="not a git repository"):
        Git(tmp_path).run("rev-parse", "HEAD")
    assert Git(tmp_path).maybe("rev-parse", "HEAD") is None
