"""What a killed run left is finished by the next command, once, and nothing else is touched."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from dataclasses import asdict, replace

import pytest

from perfdb.errors import RegistryError
from perfdb.processes.identity import ProcessIdentity
from perfdb.processes.tree import MARKER, marked
from perfdb.registry import Journal, Registry, abandoned_journals
from perfdb.runner import recover
from perfdb.runner.syncing import sync_all
from perfdb.settings import Settings
from tests.processes.waiting import until
from tests.registry.contents import assert_all_whole
from tests.runner.journals import journal_of, log_bytes

fork = multiprocessing.get_context("fork")


class Quiet:
    """An observer that does not care."""

    tick_s = None

    def say(self, text):
        pass

    def progress(self, child, text):
        pass

    def tick(self):
        pass


def of_the_dead(journal: Journal) -> Journal:
    mine = ProcessIdentity.mine()
    journal.write("owner", asdict(replace(mine, started=mine.started - 100)))
    return journal


def records(settings):
    return [entry.record for entry in Registry(settings.registry_path).entries()]


def test_a_killed_run_is_filed_as_interrupted_with_what_it_measured(settings):
    journal = of_the_dead(journal_of(settings, log_bytes(), closed=False))
    (found,) = recover(settings)
    (record,) = records(settings)
    assert (found.journal.run, found.record_id, found.filed, found.trouble) == (
        journal.run,
        record.record_id,
        True,
        None,
    )
    assert record.status == "interrupted"
    assert record.metric("warm_tasks_per_s").values == (pytest.approx(300),)
    assert assert_all_whole(settings.registry_path) == 1
    assert journal.read("recorded.json")["record_id"] == record.record_id


def test_a_run_under_way_is_left_alone(settings):
    journal_of(settings, log_bytes(), closed=False)
    assert list(recover(settings)) == []
    assert records(settings) == []


def test_another_hosts_run_is_counted_and_left_to_it(settings):
    journal = journal_of(settings, log_bytes(), closed=False)
    journal.write("owner", asdict(replace(ProcessIdentity.mine(), host="f" * 16)))
    outcome = sync_all(settings, Quiet(), with_mlflow=False)
    assert (outcome.recovered, outcome.elsewhere) == ([], 1)
    assert "1 runs belong to other hosts" in outcome.sentence()


def test_syncing_twice_files_once(settings):
    of_the_dead(journal_of(settings, log_bytes(), closed=False))
    first = sync_all(settings, Quiet(), with_mlflow=False)
    again = sync_all(settings, Quiet(), with_mlflow=False)
    (record,) = records(settings)
    assert first.recovered == [record.record_id]
    assert again.recovered == []
    assert len(records(settings)) == 1


def test_what_the_killed_run_started_is_ended_first(settings):
    journal = of_the_dead(journal_of(settings, log_bytes(), closed=False))
    left = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], env={**os.environ, MARKER: journal.run}
    )
    until(lambda: marked(journal.run))
    assert [found.trouble for found in recover(settings)] == [None]
    left.wait(10)
    assert marked(journal.run) == []


def test_one_damaged_journal_does_not_keep_the_others_from_being_filed(settings):
    damaged = [of_the_dead(journal_of(settings)) for _ in range(3)]
    (damaged[0].path / "request.json").write_bytes(b"{")
    damaged[1].write("request.json", {"family": "throughput"})
    damaged[2].write("setup.json", {"surprise": 1})
    good = of_the_dead(journal_of(settings, log_bytes(), closed=False))
    outcome = sync_all(settings, Quiet(), with_mlflow=False)
    assert len(outcome.recovered) == 1
    assert good.read("recorded.json")["record_id"] == outcome.recovered[0]
    assert len(outcome.troubles) == 3
    assert all(f"{journal.path}" in "".join(outcome.troubles) for journal in damaged)


def test_a_family_that_this_perfdb_does_not_know_is_told(settings):
    journal = of_the_dead(journal_of(settings, log_bytes(), closed=False))
    journal.write("request.json", {**journal.read("request.json"), "family": "from-the-future"})
    (trouble,) = sync_all(settings, Quiet(), with_mlflow=False).troubles
    assert "from-the-future" in trouble


def test_a_registry_that_cannot_be_written_keeps_the_journal_for_later(settings):
    journal = of_the_dead(journal_of(settings, log_bytes(), closed=False))
    settings.registry_path.write_text("in the way")
    (found,) = recover(settings)
    trouble = found.trouble
    assert isinstance(trouble, RegistryError)
    assert str(journal.path) in str(trouble)
    assert "`perfdb sync` makes its record" in str(trouble)
    settings.registry_path.unlink()
    of_the_dead(journal)
    assert [found.trouble for found in recover(settings)] == [None]
    assert len(records(settings)) == 1


def _sync(settings: Settings, start: object) -> None:
    start.wait(60)
    for found in recover(settings):
        assert found.trouble is None


def test_eight_syncs_at_once_file_each_killed_run_once(settings):
    for number in range(4):
        of_the_dead(journal_of(settings, log_bytes(), closed=False, run_name=f"run-{number}"))
    start = fork.Event()
    syncs = [fork.Process(target=_sync, args=(settings, start)) for _ in range(8)]
    for sync in syncs:
        sync.start()
    start.set()
    for sync in syncs:
        sync.join()
    assert [sync.exitcode for sync in syncs] == [0] * 8
    assert sorted(record.run_name for record in records(settings)) == [f"run-{n}" for n in range(4)]
    assert assert_all_whole(settings.registry_path) == 4


def test_a_full_disk_is_told_and_room_brings_the_record(small_disk):
    disk = small_disk(20)
    settings = Settings(root=disk.path)
    journal = of_the_dead(journal_of(settings, log_bytes(), closed=False))
    journal.release_ballast()
    disk.fill()
    with pytest.raises(RegistryError, match="No space left"):
        list(recover(settings))
    disk.free(5_000)  # for the lock and not much more
    troubles = sync_all(settings, Quiet(), with_mlflow=False).troubles
    assert len(troubles) == 1
    assert "the disk is full" in troubles[0]
    disk.free(1_000_000)
    of_the_dead(journal)
    assert len(sync_all(settings, Quiet(), with_mlflow=False).recovered) == 1
    assert abandoned_journals(settings.state_path) == []
    json.loads((journal.path / "recorded.json").read_text())


@pytest.mark.parametrize("name", ["end.json", "recorded.json"])
def test_a_damaged_document_of_one_journal_does_not_keep_the_others_from_being_filed(settings, name):
    broken = of_the_dead(journal_of(settings, log_bytes(), closed=False))
    broken.write(name, {"unheard": "of"})
    of_the_dead(journal_of(settings, log_bytes(), closed=False))
    found = {recovered.journal.run: recovered for recovered in recover(settings)}
    assert "damaged" in str(found.pop(broken.run).trouble)
    (other,) = found.values()
    assert other.filed
    assert broken.path.exists()
