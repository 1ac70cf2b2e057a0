"""Remarks: new files, whole or not at all, and only those that are what they say are heard."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from perfdb.errors import RecordError, RegistryError
from perfdb.record import Annotation, Retraction
from perfdb.registry.remarks import (
    NO_REMARKS,
    annotations_of,
    read_remark,
    remarks_of,
    remarks_on,
    retractions_of,
    save_remark,
)

SAID = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ONE, TWO = "1" * 16, "2" * 16


def retraction(number: int, record_id: str = ONE, days: int = 0) -> Retraction:
    return Retraction(
        uuid=str(number) * 32, at=SAID + timedelta(days=days), record_id=record_id, reason=f"no. {number}"
    )


def annotation(number: int, *record_ids: str, days: int = 0, **changes) -> Annotation:
    at = SAID + timedelta(days=days)
    return Annotation(uuid=str(number) * 32, at=at, record_ids=record_ids or (ONE,), note=f"no. {number}", **changes)


def test_what_is_written_is_read_and_is_not_written_twice(tmp_path):
    remark = annotation(1, ONE, TWO, tags={"figure": "3"}, resets_baseline=True)
    path = save_remark(tmp_path, remark)
    before = path.stat()
    assert read_remark(save_remark(tmp_path, remark), tmp_path, Annotation) == remark
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_of_several_retractions_the_first_one_counts(tmp_path):
    for number, days in ((1, 2), (2, 1), (3, 3)):
        save_remark(tmp_path, retraction(number, days=days))
    save_remark(tmp_path, retraction(4, TWO))
    assert {i: r.reason for i, r in retractions_of(tmp_path).items()} == {ONE: "no. 2", TWO: "no. 4"}


def test_each_record_has_what_is_said_about_it_oldest_first(tmp_path):
    for remark in (annotation(1, ONE, TWO, days=5), annotation(2, ONE, ONE), retraction(3, TWO)):
        save_remark(tmp_path, remark)
    said = remarks_of(tmp_path)
    assert [remark.note for remark in said[ONE].annotations] == ["no. 2", "no. 1"]
    assert (said[ONE].retraction, said[TWO].retraction) == (None, retraction(3, TWO))
    assert remarks_on(TWO, tmp_path) == said[TWO]
    assert remarks_on("3" * 16, tmp_path) == NO_REMARKS


def test_of_two_labels_of_one_name_the_later_one_counts(tmp_path):
    save_remark(tmp_path, annotation(1, tags={"figure": "3", "paper": "a"}, days=1))
    save_remark(tmp_path, annotation(2, tags={"figure": "4"}))
    assert remarks_on(ONE, tmp_path).tags == {"figure": "3", "paper": "a"}


def test_the_mark_tells_whether_anything_was_said_since(tmp_path):
    marks = [remarks_on(ONE, tmp_path).mark]
    for remark in (annotation(1), annotation(2), retraction(3)):
        save_remark(tmp_path, remark)
        marks.append(remarks_on(ONE, tmp_path).mark)
    assert marks[0] is None
    assert len(set(marks)) == 4
    assert remarks_on(ONE, tmp_path).mark == marks[3]


def changed(path):
    document = json.loads(path.read_bytes())
    path.write_bytes(json.dumps({**document, "note": "something else"}).encode())


def moved(path):
    path.rename(path.with_name(f"{'f' * 32}.json"))


def linked(path):
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def too_large(path):
    path.write_bytes(b" " * (1024 * 1024 + 1))


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-5])


def a_pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("harm", [changed, moved, linked, too_large, cut_off, a_pipe])
def test_a_file_that_is_not_what_it_says_is_refused_and_the_others_are_heard(tmp_path, harm):
    path = save_remark(tmp_path, annotation(1))
    save_remark(tmp_path, annotation(2))
    harm(path)
    (harmed,) = [p for p in path.parent.iterdir() if not p.name.startswith("2")]
    with pytest.raises(RecordError):
        read_remark(harmed, tmp_path, Annotation)
    assert [remark.note for remark in annotations_of(tmp_path)] == ["no. 2"]


def test_a_full_disk_leaves_whole_remarks_and_nothing_else(small_disk):
    disk = small_disk(1)
    remarks = (Annotation(uuid=f"{n:032x}", at=SAID, record_ids=(ONE,), note="x" * 4000) for n in range(10_000))
    saved = 0
    with pytest.raises(RegistryError, match="the disk is full"):
        for remark in remarks:
            save_remark(disk.path, remark)
            saved += 1
    assert len(annotations_of(disk.path)) == len(list((disk.path / "_annotations").iterdir())) == saved
