"""From what WORKLOAD names to a list of jobs, the same one whoever makes it."""

from __future__ import annotations

import os

import pytest

from perfdb.errors import UsageError
from perfdb.families.schedulers.plan import Workload
from perfdb.families.schedulers.workload.job import digest
from perfdb.families.schedulers.workload.load import described, jobs_of, loaded, made_again, whole

BLOCK = "[[jobs]]\nnodes = 2\nrun_s = 4\n"


def workload(source: str, sha256: str = "") -> Workload:
    return Workload(source=source, nodes=4, seed=1, load=0.7, jobs=0, compress=1.0, sha256=sha256)


def test_a_plan_gives_the_list_that_it_was_made_for():
    found = loaded("mixed", nodes=4, seed=1, load=0.7, jobs=0, compress=1.0)
    assert jobs_of(workload("mixed", found.sha256)) == found.jobs and digest(found.jobs) == found.sha256


def test_a_file_that_was_edited_meanwhile_is_not_taken_for_the_one_that_was_asked_for(tmp_path):
    path = tmp_path / "list.toml"
    path.write_text(BLOCK)
    before = loaded(str(path), nodes=4, seed=1, load=0.7, jobs=0, compress=1.0).sha256
    path.write_text(BLOCK.replace("4", "5"))
    with pytest.raises(UsageError, match=r"^list\.toml gives another list of jobs than when this run began"):
        jobs_of(workload(str(path), before))


@pytest.mark.parametrize("folder", ["short", "long" * 55])
def test_a_child_names_a_file_without_its_folders(tmp_path, folder):
    path = tmp_path / folder / "list.toml"
    path.parent.mkdir()
    with pytest.raises(UsageError, match="cannot be read") as gone:
        made_again(workload(str(path)))
    path.write_text("nonsense = 1")
    with pytest.raises(UsageError, match=r"list.toml is no workload") as wrong:
        made_again(workload(str(path)))
    for told in (gone, wrong):
        assert "list.toml" in str(told.value) and str(tmp_path)[:20] not in str(told.value)


def test_a_file_is_known_by_its_whole_path_and_by_its_bytes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.toml").write_text(BLOCK)
    found = described("list.toml")
    assert (found.name, found.kind, found.whole) == ("list", "toml", str(tmp_path / "list.toml"))
    assert whole("list.toml") == found.whole and whole("clog") == "clog"
    (tmp_path / "list.toml").write_text(BLOCK + "\n")
    assert described("list.toml").sha256 != found.sha256


def test_a_file_with_the_name_of_a_built_in_stands_in_nobodys_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clog").write_text("something")
    assert described("clog").kind == "built-in"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("mix", "Did you mean mixed?"),
        ("nowhere.toml", "cannot be read: No such file"),
        ("nowhere.swf", "cannot be read: No such file"),
        ("bad\0name.swf", "cannot be read"),
        ("folder.toml", "is no file"),
        ("pipe.toml", "is no file"),
        ("pipe.swf", "is no file"),
        ("list.json", r"a file ends in .toml or .swf"),
        ("latin.toml", "no text in UTF-8: byte 3"),
        ("", "there is no workload ''|a file ends in"),
    ],
)
def test_what_names_no_workload_is_refused(tmp_path, monkeypatch, source, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.toml").mkdir()
    for pipe in ("pipe.toml", "pipe.swf"):
        os.mkfifo(tmp_path / pipe)
    (tmp_path / "list.json").write_text("{}")
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(UsageError, match=told):
        loaded(source, nodes=4, seed=1, load=0.7, jobs=0, compress=1.0)


def test_a_trace_may_have_names_of_another_century_in_its_comments(tmp_path):
    (tmp_path / "old.swf").write_bytes(b"; Installation: Universit\xe9\n1 0 -1 5 1 -1 -1 1 60 -1 1 1 1 -1 1 -1 -1 -1\n")
    assert len(loaded(str(tmp_path / "old.swf"), nodes=4, seed=1, load=0.7, jobs=0, compress=1.0).jobs) == 1


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with (tmp_path / "large.toml").open("wb") as file:
        file.truncate(2**20 + 1)
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        described(str(tmp_path / "large.toml"))


@pytest.mark.parametrize("name", ["list.toml", "list.swf"])
def test_a_mark_of_the_byte_order_is_no_part_of_the_text(tmp_path, name):
    text = BLOCK if name == "list.toml" else "1 0 -1 5 1 -1 -1 1 60 -1 1 1 1 -1 1 -1 -1 -1\n"
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    assert len(loaded(str(tmp_path / name), nodes=4, seed=1, load=0.7, jobs=0, compress=1.0).jobs) == 1


def test_a_built_in_that_would_last_for_ever_is_refused_with_what_makes_it_shorter():
    with pytest.raises(UsageError, match=r"^the workload mixed: arrival_s .*--load"):
        loaded("mixed", nodes=4, seed=1, load=1e-9, jobs=5, compress=1.0)


def test_compressing_a_built_in_divides_its_times():
    slow, fast = (loaded("clog", nodes=4, seed=1, load=0.7, jobs=0, compress=by).jobs for by in (1.0, 10.0))
    assert [(job.arrival_s, job.run_s, job.limit_s) for job in fast] == [
        (round(job.arrival_s / 10, 6), job.run_s / 10, job.limit_s / 10) for job in slow
    ]
