"""What is under way survives any crash, and nobody touches what another still runs."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from perfdb.errors import RegistryError
from perfdb.processes.identity import ProcessIdentity
from perfdb.processes.log import read_log
from perfdb.registry import Journal, Registry, abandoned_journals
from perfdb.registry.journal import BALLAST_BYTES, HALF_MADE_S, all_journals
from tests.registry.contents import assert_all_whole, with_files

fork = multiprocessing.get_context("fork")


def _create(state: Path, made: object, go_on: object) -> None:
    Journal.create(state, {"who": "a child"})
    made.set()
    go_on.wait(60)


def test_a_journal_says_who_runs_it_and_keeps_what_it_is_told(tmp_path):
    journal = Journal.create(tmp_path, {"family": "throughput"})
    assert journal.owner == ProcessIdentity.mine()
    assert journal.read("request.json") == {"family": "throughput"}
    journal.write("setup.json", [1])
    journal.write("setup.json", [2])
    assert Journal(journal.path).read("setup.json") == [2]
    assert journal.read("never-written.json") is None
    assert journal.ballast.stat().st_size == BALLAST_BYTES


def test_only_we_can_read_a_journal(tmp_path):
    """It holds the key of the hosts' pseudonyms."""
    assert stat.S_IMODE(Journal.create(tmp_path, {}).path.stat().st_mode) == 0o700


def test_a_journal_is_abandoned_when_its_owner_is_dead_and_not_before(tmp_path):
    made, go_on = fork.Event(), fork.Event()
    owner = fork.Process(target=_create, args=(tmp_path, made, go_on))
    owner.start()
    assert made.wait(60)
    assert abandoned_journals(tmp_path) == []
    assert len(all_journals(tmp_path)) == 1
    go_on.set()
    owner.join()
    (journal,) = abandoned_journals(tmp_path)
    assert journal.read("request.json") == {"who": "a child"}
    journal.adopt()
    assert abandoned_journals(tmp_path) == []


def test_another_hosts_journal_is_left_to_it(tmp_path):
    journal = Journal.create(tmp_path, {})
    mine = json.loads((journal.path / "owner").read_text())
    (journal.path / "owner").write_text(json.dumps({**mine, "host": "f" * 16, "pid": 2**22 + 1}))
    assert abandoned_journals(tmp_path) == []
    assert [j.run for j in all_journals(tmp_path)] == [journal.run]


@pytest.mark.parametrize("owner", [b"", b"{", b"\xff\xfe", b"null", b'{"host": 1}'])
def test_a_journal_whose_owner_cannot_be_read_is_abandoned(tmp_path, owner):
    journal = Journal.create(tmp_path, {})
    (journal.path / "owner").write_bytes(owner)
    assert [j.run for j in abandoned_journals(tmp_path)] == [journal.run]


def half_made(state: Path, name: str, owner: ProcessIdentity | None, age_s: float = 0.0) -> Path:
    path = state / "journal" / name
    (path / "logs").mkdir(parents=True)
    if owner is not None:
        (path / "owner").write_text(owner.to_json())
    os.utime(path, (time.time() - age_s, time.time() - age_s))
    return path


def test_half_made_and_half_removed_journals_of_the_dead_are_swept(tmp_path):
    mine = ProcessIdentity.mine()
    dead, elsewhere = replace(mine, started=mine.started - 100), replace(mine, host="f" * 16)
    swept = [
        half_made(tmp_path, ".owner-dead", dead),
        half_made(tmp_path, ".nameless-and-old", None, HALF_MADE_S + 1),
        half_made(tmp_path, ".removed.done", mine),
    ]
    kept = [
        half_made(tmp_path, ".owner-alive", mine),
        half_made(tmp_path, ".owner-elsewhere", elsewhere),
        half_made(tmp_path, ".nameless-and-new", None),
    ]
    assert all_journals(tmp_path) == []
    assert not any(path.exists() for path in swept)
    assert all(path.exists() for path in kept)


def test_a_journal_that_was_removed_is_gone(tmp_path):
    Journal.create(tmp_path, {}).remove()
    assert list((tmp_path / "journal").iterdir()) == []


def test_a_hundred_logs_and_more_stay_in_the_order_of_their_start(tmp_path):
    journal = Journal.create(tmp_path, {})
    made = []
    for number in range(1, 121):
        made.append(journal.new_log(f"rep-{number}"))
        made[-1].touch()
    assert journal.log_paths() == made


def test_no_journal_where_there_is_no_folder_for_it(tmp_path):
    assert all_journals(tmp_path / "never-made") == []


def test_a_state_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "state").write_text("")
    with pytest.raises(RegistryError, match=r"a file stands where a folder belongs: .+ Nothing was measured\.$"):
        Journal.create(tmp_path / "state", {})


def test_a_disk_without_room_for_the_ballast_is_told_and_nothing_is_left(small_disk):
    disk = small_disk(4)
    with pytest.raises(RegistryError, match=r"the disk is full but for .+ free some space\. Nothing was measured\.$"):
        Journal.create(disk.path, {})
    assert disk.files() == ["journal"]


def test_a_disk_on_which_no_more_files_can_be_made_is_told(small_disk):
    disk = small_disk(32)
    subprocess.run(["mount", "-o", "remount,nr_inodes=2", disk.path], check=True)
    with pytest.raises(RegistryError, match=r"no more files can be made on that disk \(df -i\)"):
        Journal.create(disk.path, {})


def test_a_read_only_disk_is_told(small_disk):
    disk = small_disk(1)
    disk.make_read_only()
    with pytest.raises(RegistryError, match=r"read-only: .+PERFDB_STATE_DIR"):
        Journal.create(disk.path, {})


def test_the_ballast_makes_room_for_the_record_on_a_full_disk(small_disk):
    disk = small_disk(12)
    registry = Registry(disk.path / "mlruns")
    registry.check_writable()
    journal = Journal.create(disk.path, {})
    disk.fill()
    record, files = with_files("one", size=1_000_000)
    with pytest.raises(RegistryError, match="the disk is full"):
        registry.save(record, files)
    with pytest.raises(RegistryError, match="the disk is full"):
        journal.write("end.json", {"text": "x" * 100_000})
    journal.release_ballast()
    registry.save(record, files)
    journal.write("end.json", {"text": "x" * 100_000})
    assert assert_all_whole(registry.root) == 1


LOG = b"".join(
    json.dumps(event).encode() + b"\n"
    for event in (
        {"event": "start", "at": "2026-11-21T02:28:00+00:00", "argv0": "/usr/bin/true"},
        {"event": "line", "t": 0.25, "stream": "stdout", "text": "first \u00e9", "cpu": {"main": 0.5}},
        {"event": "line", "t": 0.5, "stream": "stderr", "text": "second"},
        {"event": "exit", "t": 1.0, "code": 0, "reason": "ended", "cpu_s": 0.75},
    )
)


def test_a_log_cut_off_at_any_byte_tells_what_came_before(tmp_path):
    path = tmp_path / "01-rep-1.jsonl"
    texts = ["first é", "second"]
    for cut in range(len(LOG) + 1):
        path.write_bytes(LOG[:cut])
        log = read_log(path)
        assert log.name == "01-rep-1"
        assert [line.text for line in log.lines] == texts[: len(log.lines)]
        # The last line end adds nothing, so a log that lacks just that is whole.
        assert (log.exit.reason == "ended") == (cut >= len(LOG) - 1)
    assert log.exit.cpu_s == 0.75


@pytest.mark.parametrize("damage", [b"\0" * 50, b"\xff\xfe\n", b"null\n5\n[]\n{}\n", b'{"event": "line", "t": "x"}\n'])
def test_what_is_no_event_is_passed_over(tmp_path, damage):
    path = tmp_path / "01-rep-1.jsonl"
    lines = LOG.splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], damage.rstrip(b"\n") + b"\n", *lines[2:]]))
    assert [line.text for line in read_log(path).lines] == ["first é", "second"]
    assert read_log(path).exit.reason == "ended"
