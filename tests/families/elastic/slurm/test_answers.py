"""What jobs say of their resizes."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from tests.families.elastic.slurm.arms import child_module

answers = child_module("answers")
NOTHING = {"acknowledged": None, "applied": None, "cost": None}


def test_an_answer_is_read_as_its_job_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "answer"
    path.write_text('{"pid": 7, "ticks": 1, "acknowledged": [2, 30], "applied": [1, 20], "cost": [1, 2, 3, 4]}')
    assert answers.read(path) == {"acknowledged": (2, 30), "applied": (1, 20), "cost": (1, 2, 3, 4)}


@pytest.mark.parametrize(
    "value", ["null", "[1]", "[1, 2.5]", "[1, -2]", "[true, 2]", '"12"', "[1, 4611686018427387904]"]
)
def test_what_is_no_stamp_counts_for_nothing(tmp_path: Path, value: str) -> None:
    path = tmp_path / "answer"
    path.write_text(f'{{"pid": 7, "acknowledged": {value}, "applied": {value}, "cost": {value}}}')
    assert answers.read(path) == NOTHING


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"pid": null}', '{"pid": "7"}', "[" * 100_000, "\x00\xff"])
def test_a_job_that_says_nothing_sensible_has_not_registered(tmp_path: Path, text: str) -> None:
    path = tmp_path / "answer"
    path.write_text(text)
    assert answers.read(path) is None


def test_a_job_that_wrote_nothing_has_not_registered(tmp_path: Path) -> None:
    assert answers.read(tmp_path / "answer") is None


def test_a_hint_wakes_whoever_waits_even_in_a_folder_with_a_long_name(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(answers, "LOOK_S", 600.0)
    folder = tmp_path / ("f" * 120)
    folder.mkdir()
    heard = answers.Answers(folder)
    asked, came = threading.Event(), threading.Event()

    def found() -> bool:
        asked.set()
        return came.is_set()

    waiting = threading.Thread(target=heard.wait, args=(found, 600.0), daemon=True)
    waiting.start()
    assert asked.wait(30)
    came.set()
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as job:
        job.sendto(b"{}", "hints.sock")
    waiting.join(30)
    assert not waiting.is_alive()


def test_without_a_hint_it_is_looked_again(tmp_path: Path) -> None:
    looks = iter([False, False, True])
    assert answers.Answers(tmp_path).wait(lambda: next(looks), 600.0)


def test_who_waits_in_vain_is_told_so(tmp_path: Path) -> None:
    assert not answers.Answers(tmp_path).wait(lambda: False, 0.05)
