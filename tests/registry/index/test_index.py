"""The index follows the registry, whatever happened to either."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from perfdb.errors import NewerRecordError, RecordError, RegistryError, UsageError
from perfdb.processes.lock import Lock
from perfdb.record import Annotation, Metric, Retraction, canonical_bytes, new_uuid, record_id_of
from perfdb.registry import Registry
from perfdb.registry.index import Index, reading
from perfdb.registry.index import index as index_module
from perfdb.registry.index.shelf import VERSION, Shelf
from perfdb.registry.remarks import save_remark
from tests.disks import SmallDisk
from tests.tracking.records import make_record

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def saved(root: Path, count: int, **changes: object) -> list[Path]:
    """Records in a registry; their folders."""
    return [Registry(root / "mlruns").save(make_record(**changes), {}) for _ in range(count)]


def opened(root: Path) -> Index:
    return Index(root / "mlruns", root / ".perfdb")


def ids(index: Index, query: str | None = None, *, retracted: bool = False) -> set[str]:
    found = index.search(query, retracted=retracted)
    return {str(value) for value in found.values(found.columns(["record_id"])[0])}


def names(folders: list[Path]) -> set[str]:
    return {folder.name for folder in folders}


def parts(root: Path) -> list[Path]:
    return sorted(root.glob(".perfdb/index/*/*.parquet"))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that were read since."""
    seen: list[str] = []

    def counted(path: Path) -> object:
        seen.append(path.parent.name)
        return real(path)

    real = reading.read_record
    monkeypatch.setattr(reading, "read_record", counted)
    return seen


def test_a_registry_that_is_not_there_has_no_records(tmp_path: Path) -> None:
    found = opened(tmp_path).search()
    assert (found.total, found.faults, found.remark) == (0, (), None)
    assert opened(tmp_path).search("started_at > 2026 and status == ok", limit=3).rows(found.columns(["name"])) == []


def test_only_new_records_are_read_and_vanished_ones_dropped(tmp_path: Path, reads: list[str]) -> None:
    first = saved(tmp_path, 5)
    assert ids(opened(tmp_path)) == names(first)
    assert set(reads) == names(first)
    reads.clear()
    second = saved(tmp_path, 2, experiment="other")
    shutil.rmtree(first[0])
    index = opened(tmp_path)
    assert ids(index) == names(second + first[1:])
    assert set(reads) == names(second)
    reads.clear()
    shutil.rmtree(tmp_path / "mlruns" / "other")
    assert ids(index) == ids(opened(tmp_path)) == names(first[1:])
    assert reads == []


def test_a_folder_without_a_record_and_hidden_ones_are_none(tmp_path: Path) -> None:
    (folder,) = saved(tmp_path, 1)
    (folder.parent / ("0" * 16)).mkdir()
    (folder.parent / "notes.txt").write_text("mine")
    for hidden in (".staging-x", "_machines"):
        shutil.copytree(tmp_path / "mlruns" / "throughput", tmp_path / "mlruns" / hidden)
    found = opened(tmp_path).search()
    assert (found.total, found.faults) == (1, ())


def test_damaged_records_are_told_each_time_and_never_found(tmp_path: Path) -> None:
    folders = saved(tmp_path, 3)
    (folders[0] / "record.json").write_bytes(b"{")
    (folders[1] / "record.json").unlink()
    (folders[1] / "record.json").symlink_to(folders[2] / "record.json")
    newer = make_record().document() | {"schema_version": 2}
    newer["record_id"] = record_id_of(newer)
    later = folders[0].with_name(newer["record_id"])
    later.mkdir()
    (later / "record.json").write_bytes(canonical_bytes(newer))
    for _ in range(2):
        found = opened(tmp_path).search()
        assert found.total == 1
        assert {str(fault).split(" ")[0] for fault in found.faults} == {
            str(folder / "record.json") for folder in (folders[0], folders[1], later)
        }
        assert [type(f) for f in found.faults].count(NewerRecordError) == 1
    shutil.copy(folders[2] / "record.json", folders[0] / "record.json")
    assert len(opened(tmp_path).search().faults) == 3  # another record's content


def test_a_folder_that_cannot_be_read_is_an_error_and_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = saved(tmp_path, 1)
    index = opened(tmp_path)
    index.search()

    def refused(path: Path) -> list[str]:
        """Whoever runs the tests as root may read everything."""
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(os, "listdir", refused)
        with pytest.raises(RegistryError, match="Permission denied"):
            index.search()
    assert ids(index) == {folder.name}


def test_a_link_to_a_record_is_none(tmp_path: Path) -> None:
    (folder,) = saved(tmp_path, 1)
    elsewhere = tmp_path / folder.name
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    found = opened(tmp_path).search()
    assert (found.total, [isinstance(f, RecordError) and "is a link" in str(f) for f in found.faults]) == (0, [True])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[random.Random(0).randrange(len(data))] ^= 1
    path.write_bytes(data)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "part deleted": lambda folder: next(folder.glob("*.parquet")).unlink(),
    "part cut short": lambda folder: os.truncate(next(folder.glob("*.parquet")), 100),
    "part with a flipped bit": lambda folder: flipped(next(folder.glob("*.parquet"))),
    "list deleted": lambda folder: (folder / "parts.json").unlink(),
    "list cut short": lambda folder: os.truncate(folder / "parts.json", 9),
    "list of another version": lambda folder: (folder / "parts.json").write_text(
        (folder / "parts.json").read_text().replace(f'"version": {VERSION}', '"version": 0')
    ),
    "list that is no list": lambda folder: (folder / "parts.json").write_text(f'{{"version": {VERSION}, "parts": 3}}'),
    "folder deleted": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_made_anew_without_a_word(tmp_path: Path, damage: str, reads: list[str]) -> None:
    folders = saved(tmp_path, 3)
    opened(tmp_path).search()
    (kept,) = (tmp_path / ".perfdb" / "index").glob("*")
    DAMAGE[damage](kept)
    reads.clear()
    found = opened(tmp_path).search()
    assert (found.total, found.faults, found.remark) == (3, (), None)
    assert set(reads) == names(folders)
    reads.clear()
    assert ids(opened(tmp_path)) == names(folders)
    assert reads == []
    assert len(parts(tmp_path)) == 1


def test_adding_one_record_leaves_large_parts_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "SMALL_ROWS", 4)
    saved(tmp_path, 40)
    index = opened(tmp_path)
    index.search()
    (large,) = parts(tmp_path)
    for count in range(41, 60):
        saved(tmp_path, 1)
        assert index.search().total == count
        assert large in parts(tmp_path)
        assert len(parts(tmp_path)) <= 4
    assert opened(tmp_path).search().total == 59


def test_columns_that_only_some_parts_have_survive_their_merging(tmp_path: Path) -> None:
    index = opened(tmp_path)
    for value in (1, "one", True, 2.5, None):
        saved(tmp_path, 1, params={"x": value}, run_name=repr(value))
        index.search()
    found = opened(tmp_path).search(sort=["name"])
    assert found.rows(found.columns(["name", "param.x"])) == [
        ("'one'", "one"),
        ("1", 1),
        ("2.5", 2.5),
        ("None", None),
        ("True", True),
    ]


def test_where_nothing_can_be_written_the_index_lives_in_memory_and_says_so(tmp_path: Path) -> None:
    folders = saved(tmp_path, 3)
    (tmp_path / ".perfdb").write_text("a file where a folder belongs")
    index = opened(tmp_path)
    found = index.search()
    assert found.total == 3
    assert found.remark is not None and "made in memory" in found.remark
    more = saved(tmp_path, 1)
    shutil.rmtree(folders[0])
    assert ids(index) == names(more + folders[1:])


@pytest.mark.parametrize("room", [0, 4096, 8192, 12288, 20480])
def test_a_full_disk_costs_no_answer(small_disk: Callable[[int], SmallDisk], tmp_path: Path, room: int) -> None:
    saved(tmp_path, 3)
    disk = small_disk(1)
    disk.fill()
    disk.free(room)
    found = Index(tmp_path / "mlruns", disk.path / ".perfdb").search()
    assert found.total == 3
    assert (found.remark is None) == bool(list(disk.path.glob(".perfdb/index/*/parts.json")))
    (disk.path / "filler").unlink()
    found = Index(tmp_path / "mlruns", disk.path / ".perfdb").search()
    assert (found.total, found.remark) == (3, None)


def test_two_registries_with_one_state_folder_do_not_mix(tmp_path: Path, reads: list[str]) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    first, second = saved(one, 2), saved(other, 3)
    for _ in range(2):
        assert ids(Index(one / "mlruns", tmp_path / ".perfdb")) == names(first)
        assert ids(Index(other / "mlruns", tmp_path / ".perfdb")) == names(second)
    assert len(reads) == 5  # neither makes the other begin again


def test_many_records_are_read_by_two_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MANY", 4)
    monkeypatch.setattr(index_module, "MANY", 4)
    monkeypatch.setattr(reading, "BATCH", 3)
    folders = saved(tmp_path, 13)
    for folder in folders[::4]:
        (folder / "record.json").write_bytes(b"[]")
    told: list[tuple[int, int]] = []
    found = Index(tmp_path / "mlruns", tmp_path / ".perfdb", lambda done, total: told.append((done, total))).search()
    assert (found.total, len(found.faults)) == (9, 4)
    assert told == [(6, 13), (12, 13), (13, 13)]
    assert len(opened(tmp_path).search().faults) == 4


def test_a_second_process_that_is_killed_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MANY", 4)
    monkeypatch.setattr(index_module, "MANY", 4)
    real = subprocess.Popen

    def killed(*arguments: object, **options: object) -> object:
        process = real(*arguments, **options)  # type: ignore[call-overload]
        process.kill()
        return process

    monkeypatch.setattr(subprocess, "Popen", killed)
    folders = saved(tmp_path, 9)
    assert ids(opened(tmp_path)) == names(folders)


SEARCHER = """
import contextlib, sys
from pathlib import Path
from perfdb.registry import Registry
from perfdb.registry.index import Index
from tests.disks import SmallDisk
from tests.tracking.records import make_record
root, me, deletes = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "True"
index = Index(root / "mlruns", root / ".perfdb")
for number in range(8):
    mine = Registry(root / "mlruns").save(make_record(run_name=f"{me}-{number}"), {})
    found = index.search(f"name like '{me}-%'")
    assert found.total == number + 1, found.total
    assert deletes or found.remark is None, found.remark
    if deletes and number == 3:
        with contextlib.suppress(FileNotFoundError):
            (root / ".perfdb/index").rename(root / f".perfdb/gone-{me}")
"""


@pytest.mark.parametrize("deletes", [False, True])
def test_several_processes_at_once_each_find_what_is_there(tmp_path: Path, deletes: bool) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SEARCHER, str(tmp_path), f"p{me}", str(deletes)],
            cwd=Path(__file__).parents[3],
            stderr=subprocess.PIPE,
            text=True,
        )
        for me in range(4)
    ]
    for process in running:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    found = opened(tmp_path).search()
    assert (found.total, found.remark) == (32, None)


def test_what_another_process_took_in_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    saved(tmp_path, 2)
    index = opened(tmp_path)
    both: list[Path] = saved(tmp_path, 1)
    real = Shelf.lock

    def slowly(shelf: Shelf, wait_s: float) -> Lock:
        monkeypatch.setattr(Shelf, "lock", real)
        both.extend(saved(tmp_path, 1))
        assert opened(tmp_path).search().total == 4
        return real(shelf, wait_s)

    monkeypatch.setattr(Shelf, "lock", slowly)
    assert index.search().total == 4
    assert reads.count(both[1].name) == 1
    reads.clear()
    assert opened(tmp_path).search().total == 4
    assert reads == []


def test_withdrawn_records_are_found_on_demand_only(tmp_path: Path) -> None:
    folders = saved(tmp_path, 3)
    index = opened(tmp_path)
    index.search()
    gone = folders[1].name
    save_remark(tmp_path / "mlruns", Retraction(uuid=new_uuid(), at=NOW, record_id=gone, reason="a busy node"))
    assert ids(index) == ids(opened(tmp_path)) == names(folders) - {gone}
    assert ids(index, retracted=True) == names(folders)
    assert ids(index, "retracted == true", retracted=True) == {gone}


def test_who_asks_whether_a_record_is_withdrawn_gets_the_withdrawn_ones_too(tmp_path: Path) -> None:
    folders = saved(tmp_path, 3)
    index = opened(tmp_path)
    gone = folders[1].name
    save_remark(tmp_path / "mlruns", Retraction(uuid=new_uuid(), at=NOW, record_id=gone, reason="a busy node"))
    assert ids(index, "retracted == true") == {gone}
    assert ids(index, "not retracted == true") == names(folders) - {gone}
    assert [index.search(query).retracted for query in (None, "retracted == false")] == [False, True]
    # A sort by it asks for no record.
    assert index.search(sort=["retracted"]).total == 2


def test_tags_that_people_give_later_count_and_the_latest_wins(tmp_path: Path) -> None:
    folders = saved(tmp_path, 3, tags={"nodes": "4", "size": "small"})
    (one, two, _), index = [folder.name for folder in folders], opened(tmp_path)
    index.search()
    for day, record_ids, tags in (
        (1, (one, two), {"nodes": "16", "figure": "3"}),
        (2, (two,), {"nodes": "many"}),
    ):
        at = NOW.replace(day=day)
        save_remark(
            tmp_path / "mlruns", Annotation(uuid=new_uuid(), at=at, record_ids=record_ids, note="note", tags=tags)
        )
    for each in (index, opened(tmp_path)):
        assert ids(each, "tag.nodes > 4") == {one}
        assert ids(each, "nodes == many") == {two}
        assert ids(each, "figure == 3") == {one, two}
        assert ids(each, "tag.nodes == 4") == {folders[2].name}
        assert ids(each, "size == small") == names(folders)


def rate(value: float, unit: str) -> tuple[Metric, ...]:
    return (Metric(name="latency", unit=unit, direction="lower", value=value),)


def test_numbers_in_different_units_are_never_compared(tmp_path: Path) -> None:
    saved(tmp_path, 2, metrics=rate(0.004, "s"))
    odd = saved(tmp_path, 1, metrics=rate(4.0, "ms"))
    index = opened(tmp_path)
    assert index.search("latency < 1").total == 2
    assert index.search("latency > 1").total == 0
    assert ids(index, "metric.latency[ms] == 4") == names(odd)
    units = {column.name: column.unit for column in index.search().columns() if column.name.startswith("metric.")}
    assert units == {"metric.latency": "s", "metric.latency[ms]": "ms"}


def test_a_metrics_name_with_its_unit_means_the_same_whichever_unit_most_records_have(tmp_path: Path) -> None:
    saved(tmp_path, 1, metrics=rate(0.004, "s"))
    in_ms = saved(tmp_path, 2, metrics=rate(4.0, "ms"))
    queries = ("metric.latency[ms] == 4", "latency[ms] == 4")
    assert [ids(opened(tmp_path), query) for query in queries] == [names(in_ms)] * 2
    saved(tmp_path, 3, metrics=rate(0.005, "s"))
    assert [ids(opened(tmp_path), query) for query in queries] == [names(in_ms)] * 2
    assert opened(tmp_path).search("latency[s] > 0").total == 4


def test_a_metric_is_the_median_of_its_repetitions(tmp_path: Path) -> None:
    saved(tmp_path, 1)  # three repetitions: 700, 710, 900; iterations count for nothing
    found = opened(tmp_path).search("warm_tasks_per_s == 710 and repetitions == 3")
    assert found.total == 1
    with pytest.raises(UsageError):
        opened(tmp_path).search("tasks_per_s > 1")


def test_the_median_of_the_largest_floats_is_a_number(tmp_path: Path) -> None:
    large = Metric(name="large", unit="1", direction="none", values=(1.7e308, 1.6e308))
    saved(tmp_path, 1, metrics=(large,))
    found = opened(tmp_path).search()
    assert found.values(found.columns(["large"])[0]) == [1.6e308]


def test_any_number_of_names_stays_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from perfdb.registry.index import parts as parts_module

    monkeypatch.setattr(parts_module, "MOST_COLUMNS", 60)
    common = {f"common_{i}": i for i in range(5)}
    for number in range(4):
        saved(tmp_path, 1, params=common | {f"only_{number}_{i}": i for i in range(50)} | {"x" * 300: 1})
    index = opened(tmp_path)
    found = index.search("common_3 == 3 and status == ok")
    assert found.total == 4
    assert len(found.columns()) <= 70


def test_the_files_of_an_index_hold_no_other_versions_of_the_truth(tmp_path: Path) -> None:
    saved(tmp_path, 2)
    opened(tmp_path).search()
    (folder,) = (tmp_path / ".perfdb" / "index").glob("*")
    (folder / "left-by-a-killed-writer.parquet").write_bytes(b"half")
    saved(tmp_path, 1)
    opened(tmp_path).search()
    listed = [name for name, _ in json.loads((folder / "parts.json").read_bytes())["parts"]]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*listed, "parts.json"])


def test_a_part_is_read_without_threads() -> None:
    """One of Arrow's that frees a part's bytes while Python ends aborts the process, seldom and after its last word."""
    program = (
        "import os, pyarrow.parquet\n"
        "from perfdb.registry.index.columns import Key\n"
        "from perfdb.registry.index.parts import Part, part_of_rows\n"
        "data = part_of_rows([{Key('folder', 't'): f'a/b/{i:016x}', Key('x', 'n'): 1.0} for i in range(9)]).data\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "part = Part.of(data)\n"
        "assert len(part.read(part.counts)) == 2\n"
        "print(len(os.listdir('/proc/self/task')) - before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
