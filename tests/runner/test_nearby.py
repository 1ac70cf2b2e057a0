"""Files of the current folder: texts, or left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from perfdb.runner.nearby import texts_of


def test_only_small_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_bytes(b"one \xff")
    Path("large").write_bytes(b" " * (1 << 20) + b"x")
    Path("folder").mkdir()
    os.mkfifo("pipe")
    assert texts_of(["text", "large", "folder", "pipe", "missing"]) == {"text": "one \N{REPLACEMENT CHARACTER}"}
