"""Writing whole or not at all, and nothing over what somebody else wrote."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from perfdb.registry.durable import put_new


def test_what_is_new_is_written_and_the_same_again_is_as_good(tmp_path: Path) -> None:
    place = tmp_path / "raw.jsonl"
    assert put_new(place, b"one")
    assert put_new(place, b"one")
    assert place.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [place]


def test_another_s_file_stays_as_it_is(tmp_path: Path) -> None:
    place = tmp_path / "raw.jsonl"
    place.write_bytes(b"another")
    assert not put_new(place, b"one")
    (tmp_path / "folder").mkdir()
    assert not put_new(tmp_path / "folder", b"one")
    assert place.read_bytes() == b"another"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "raw.jsonl"]


def test_of_many_at_once_one_is_first_and_the_others_are_told(tmp_path: Path) -> None:
    place = tmp_path / "raw.jsonl"
    texts = [f"from {number}".encode() * 1000 for number in range(32)]
    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda text: put_new(place, text), texts))
    assert won.count(True) == 1
    assert place.read_bytes() == texts[won.index(True)]
    assert list(tmp_path.iterdir()) == [place]


def test_where_there_are_no_hard_links_it_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a file system is not to be had here."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    place = tmp_path / "raw.jsonl"
    assert put_new(place, b"one")
    assert not put_new(place, b"two")
    assert place.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [place]


def test_what_cannot_be_written_leaves_no_draft(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        put_new(tmp_path / "nowhere" / "raw.jsonl", b"one")
    assert list(tmp_path.iterdir()) == []
