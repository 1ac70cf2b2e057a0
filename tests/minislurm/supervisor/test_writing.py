"""Journals on a disk that is full."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from perfdb.minislurm.supervisor import journal
from perfdb.minislurm.supervisor.writing import Writing
from tests.disks import SmallDisk
from tests.minislurm.supervisor.running import Running, until

CLAIM: dict[str, object] = {"pid": 1, "ticks": 2, "boot": "b", "ns": 3, "at": 4.0}


def test_a_journal_has_its_claim_from_the_first_moment(tmp_path: Path) -> None:
    place = tmp_path / "j"
    seen: list[journal.Journal | None] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.append(journal.read(place))

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(300):
        assert Writing.claim(str(place), CLAIM)
        place.unlink()
    # The last one stays until it was seen: on a busy machine who looks may have missed all others.
    assert Writing.claim(str(place), CLAIM)
    until(lambda: bool(seen) and seen[-1] is not None)
    place.unlink()
    until(lambda: seen[-1] is None)
    done.set()
    looking.join()
    assert {None, journal.Journal(journal.Claim(1, 2, "b", 3, 4.0))} == set(seen)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "j").write_text("theirs\n")
    assert Writing.claim(str(tmp_path / "j"), CLAIM) is None
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"j": "theirs\n"}


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    place = tmp_path / "j"
    writing = Writing.claim(str(place), CLAIM)
    assert writing
    with place.open("a") as file:
        file.write('{"event": "star')
    writing.end({"why": "exited", "code": 3, "signal": None, "ns": 1, "at": 2.0})
    found = journal.read(place)
    assert found and found.exit
    assert found.exit.code == 3


def test_an_end_is_written_once_a_full_disk_has_room(tmp_path: Path, small_disk: Callable[[int], SmallDisk]) -> None:
    disk = small_disk(1)
    with Running(tmp_path) as running:
        go = tmp_path / "go"
        order = running.order(
            "sh", "-c", f"while [ ! -e {go} ]; do sleep 0.01; done; exit 6", journal=str(disk.path / "j")
        )
        supervisor = running.start(order)
        running.until_started(order)
        # A whole page, so that the end needs one more.
        with Path(order.journal).open("a") as file:
            file.write("\n" * (4096 - Path(order.journal).stat().st_size))
        disk.fill()
        go.touch()
        until(lambda: "No space left" in (tmp_path / "log").read_text())
        assert running.journal(order).exit is None
        os.kill(supervisor.pid, signal.SIGTERM)  # nobody can hurry it
        disk.free(64 << 10)
        assert ((ended := running.wait(order)).why, ended.code) == ("exited", 6)


def test_a_job_waits_for_room_for_its_claim_and_runs_then(
    tmp_path: Path, small_disk: Callable[[int], SmallDisk]
) -> None:
    disk = small_disk(1)
    with Running(tmp_path) as running:
        disk.fill()
        order = running.order("true", journal=str(disk.path / "j"))
        running.start(order)
        until(lambda: "No space left" in (tmp_path / "log").read_text())
        assert disk.files() == []
        disk.free(64 << 10)
        assert running.wait(order).code == 0
