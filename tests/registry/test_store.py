"""A record is in the registry whole, or not at all."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from perfdb.errors import RecordError, RegistryError
from perfdb.registry import Entry, Registry
from perfdb.registry.store import LARGEST_RECORD, STAGING_STALE_S, read_record
from tests.registry.contents import assert_all_whole, final_folders, with_files

fork = multiprocessing.get_context("fork")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "mlruns")


def left_over(root: Path) -> list[str]:
    return [p.name for p in root.iterdir() if p.name.startswith(".")]


def test_a_record_lies_under_its_experiment_machine_month_and_id(registry):
    record, files = with_files("one")
    folder = registry.save(record, files)
    assert folder == registry.root / "throughput" / "laptop-7f3a" / "2026-11" / record.record_id
    assert (folder / "record.json").read_bytes() == record.to_bytes()
    assert (folder / "artifacts/config.py").read_bytes() == files["artifacts/config.py"]
    assert assert_all_whole(registry.root) == 1
    assert left_over(registry.root) == []


def test_saving_again_changes_nothing(registry):
    record, files = with_files("one")
    folder = registry.save(record, files)
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert registry.save(record, files) == folder
    assert before == {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert left_over(registry.root) == []


def _save_until_killed(root: Path, name: str, begun: object) -> None:
    registry = Registry(root)
    for number in itertools.count():
        record, files = with_files(f"{name}-{number}")
        begun.set()
        registry.save(record, files)


@pytest.mark.drill
def test_sigkill_at_any_moment_leaves_only_whole_records(registry, drill_share):
    rng = random.Random(20261121)
    for kill in range(round(100 * drill_share)):
        begun = fork.Event()
        saver = fork.Process(target=_save_until_killed, args=(registry.root, str(kill), begun))
        saver.start()
        assert begun.wait(60)
        time.sleep(rng.uniform(0, 0.05))  # the moment is what is drawn here; there is nothing to wait for
        saver.kill()
        saver.join()
        assert saver.exitcode == -signal.SIGKILL
    assert assert_all_whole(registry.root) > 0


def test_what_a_killed_save_left_is_swept_once_it_is_old(registry):
    old, fresh = registry.root / ".staging-old", registry.root / ".staging-fresh"
    for folder in (old, fresh):
        (folder / "artifacts").mkdir(parents=True)
    long_ago = time.time() - STAGING_STALE_S - 1
    os.utime(old, (long_ago, long_ago))
    registry.check_writable()
    assert left_over(registry.root) == [".staging-fresh"]


def _save_all(root: Path, names: list[str], start: object) -> None:
    start.wait(60)
    for name in names:
        Registry(root).save(*with_files(name))
        Registry(root).save_machine("laptop-7f3a", "ab" * 8, {"cpu_count": 2})


def test_eight_at_once_save_the_same_record_and_their_own(registry):
    start = fork.Event()
    shared = [f"shared-{n}" for n in range(5)]
    savers = [fork.Process(target=_save_all, args=(registry.root, [*shared, f"own-{n}"], start)) for n in range(8)]
    for saver in savers:
        saver.start()
    start.set()
    for saver in savers:
        saver.join()
    assert [saver.exitcode for saver in savers] == [0] * 8
    assert assert_all_whole(registry.root) == 5 + 8
    assert left_over(registry.root) == []
    assert [p.name for p in (registry.root / "_machines/laptop-7f3a").iterdir()] == ["abababababababab.json"]


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(small_disk):
    disk = small_disk(1)
    registry = Registry(disk.path / "mlruns")
    registry.check_writable()
    disk.fill()
    disk.free(200_000)
    record, files = with_files("one", size=500_000)
    with pytest.raises(
        RegistryError, match=r"the disk is full: free some space\. Nothing of this record was left there\.$"
    ):
        registry.save(record, files)
    assert disk.files() == ["mlruns"]
    disk.free(500_000)
    registry.save(record, files)
    assert assert_all_whole(registry.root) == 1


def test_a_read_only_disk_is_told_before_anything_is_measured(small_disk):
    disk = small_disk(1)
    disk.make_read_only()
    registry = Registry(disk.path / "mlruns")
    with pytest.raises(
        RegistryError, match=r"read-only: choose another folder with PERFDB_REGISTRY .+Nothing was measured\.$"
    ):
        registry.check_writable()
    with pytest.raises(RegistryError, match="read-only"):
        registry.save(*with_files("one"))
    with pytest.raises(RegistryError, match="read-only"):
        registry.save_machine("laptop", "ab" * 8, {})


def test_a_file_in_place_of_a_folder_is_told(registry):
    registry.root.write_text("I was here first")
    for attempt in (registry.check_writable, lambda: registry.save(*with_files("one"))):
        with pytest.raises(RegistryError, match="a file stands where a folder belongs: move it away"):
            attempt()
    assert registry.root.read_text() == "I was here first"


def test_a_file_deeper_down_costs_nothing_but_that_record(registry):
    registry.root.mkdir()
    (registry.root / "throughput").write_text("")
    with pytest.raises(RegistryError, match="a file stands where a folder belongs"):
        registry.save(*with_files("one"))
    assert [p.name for p in registry.root.iterdir()] == ["throughput"]


def test_a_record_is_found_by_the_start_of_its_id(registry):
    saved = [with_files(str(n)) for n in range(3)]
    for record, files in saved:
        registry.save(record, files)
    record = saved[1][0]
    assert registry.find(record.record_id[:8]).record == record
    with pytest.raises(RegistryError, match="`perfdb list` shows"):
        registry.find("")
    with pytest.raises(RegistryError, match="`perfdb list` shows"):
        registry.find("no-such-id")


def test_an_id_that_fits_two_records_is_refused(registry):
    for number in range(17):  # of 17 ids two share their first digit
        registry.save(*with_files(str(number)))
    first_digits = [folder.name[0] for folder in registry.folders()]
    shared = next(digit for digit in first_digits if first_digits.count(digit) > 1)
    with pytest.raises(RegistryError, match="Type more digits"):
        registry.find(shared)


def test_machines_annotations_and_half_saved_records_are_no_records(registry):
    registry.save(*with_files("one"))
    source = registry.folders()[0]
    for other in ("_machines/a/b", ".staging-1/a/b", "throughput/laptop/2026-11"):
        folder = registry.root / other / ("a" * 16 if not other.startswith("throughput") else "not-an-id")
        folder.mkdir(parents=True)
        (folder / "record.json").write_bytes((source / "record.json").read_bytes())
    assert [source] == registry.folders()


def damaged(registry: Registry, data: bytes) -> RecordError:
    folder = registry.save(*with_files("one"))
    (folder / "record.json").write_bytes(data)
    (entry,) = registry.entries()
    assert isinstance(entry, RecordError)
    assert str(folder / "record.json") in str(entry)
    return entry


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b"[" * 100_000, b"NaN"])
def test_a_record_that_is_none_comes_as_an_error_that_names_it(registry, data):
    assert "no record that can be used" in str(damaged(registry, data))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "9007199254740993", "1" + "0" * 400])
def test_a_number_without_canonical_form_in_a_record_comes_as_an_error_that_names_it(registry, number):
    text = (
        with_files("one")[0].to_bytes().decode().replace('"provider.max_blocks":4', f'"provider.max_blocks":{number}')
    )
    assert number in text
    damaged(registry, text.encode())


def test_a_record_that_was_edited_comes_as_an_error(registry):
    record, _ = with_files("one")
    edited = json.dumps({**record.document(), "status": "failed"}).encode()
    assert "was changed after it was written" in str(damaged(registry, edited))


def test_a_record_too_large_to_be_one_is_not_read(registry):
    assert "larger than any record may be" in str(damaged(registry, b" " * (LARGEST_RECORD + 1)))


def test_a_good_record_beside_a_damaged_one_is_still_read(registry):
    registry.save(*with_files("good"))
    record, files = with_files("bad")
    (registry.save(record, files) / "record.json").write_bytes(b"{")
    assert [Entry, RecordError] == sorted((type(e) for e in registry.entries()), key=lambda t: t.__name__)


def test_a_link_in_place_of_a_record_is_not_followed(registry):
    folder = registry.save(*with_files("one"))
    (folder / "record.json").unlink()
    (folder / "record.json").symlink_to("/dev/zero")
    with pytest.raises(RecordError, match="no plain file"):
        read_record(folder / "record.json")


def test_a_record_under_another_records_id_is_refused(registry):
    folder = registry.save(*with_files("one"))
    moved = folder.rename(folder.with_name("a" * 16))
    with pytest.raises(RecordError, match="whose folder has that name"):
        read_record(moved / "record.json")


def test_folders_of_records_are_readable_by_others_of_the_group(registry):
    """Records are published: they keep the mode that the umask gives, unlike the journal."""
    old = os.umask(0o022)
    try:
        folder = registry.save(*with_files("one"))
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert final_folders(registry.root) == [folder]


def test_a_folder_that_is_closed_is_told_and_not_taken_for_an_empty_one(registry):
    registry.save(*with_files("one"))
    (registry.root / "throughput").chmod(0)
    count = "import sys; from perfdb.registry import Registry; from pathlib import Path; Registry(Path(sys.argv[1])).folders()"
    plain = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    argv = [*plain, sys.executable, "-c", count, str(registry.root)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    (registry.root / "throughput").chmod(0o755)
    assert "RegistryError: " in done.stderr
    assert "throughput cannot be read: you may not look into it. Mend that (chmod u+rx " in done.stderr
