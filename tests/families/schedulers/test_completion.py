"""What a shell may offer for a workload, and for arms."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfdb.families.schedulers.arms import parse
from perfdb.families.schedulers.completion import arms, workloads
from perfdb.families.schedulers.workload.builtin import BUILTINS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists").mkdir()
    for name in ("mine.toml", "trace.SWF", "notes.txt", "lists/two.toml"):
        (tmp_path / name).touch()
    return tmp_path


def test_workloads_are_built_in_ones_and_files_that_may_be_one(folder: Path) -> None:
    assert workloads("") == [*BUILTINS, "mine.toml", "trace.SWF"]
    assert workloads("mi") == ["mixed", "mine.toml"]


def test_files_of_another_folder_are_completed_as_it_was_typed(folder: Path) -> None:
    assert workloads("lists/") == ["lists/two.toml"]
    assert workloads(f"{folder}/m") == [f"{folder}/mine.toml"]
    assert workloads("lists/no") == workloads("nowhere/") == workloads("~nobody-here/") == []


def test_after_a_comma_another_arm_begins() -> None:
    assert arms("sim") == ["simulated:fifo", "simulated:easy", "simulated:mini-slurm"]
    assert arms("slurm:builtin,mi") == ["slurm:builtin,mini-slurm"]


def test_a_slurms_words_never_say_two_things_of_one() -> None:
    assert arms("slurm:b") == ["slurm:backfill", "slurm:builtin", "slurm:basic"]
    assert arms("mini-slurm,slurm:builtin+b") == ["mini-slurm,slurm:builtin+basic"]


def test_what_is_offered_is_an_arm() -> None:
    for offered in [*arms(""), *arms("slurm:linear+"), *arms("kub")]:
        if not offered.endswith(":"):
            assert parse(offered)
