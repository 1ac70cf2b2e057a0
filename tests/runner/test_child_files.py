"""Files that a child leaves for the record: kept masked and bounded, and nothing else of the folder."""

from __future__ import annotations

import os
from pathlib import Path

from perfdb.families import ChildRun
from perfdb.processes.log import ChildLog
from perfdb.redaction import Redactor
from perfdb.runner.child_files import FILE_BYTES, artifacts_of, files_of, keep_files
from tests.runner.journals import journal_of, log_bytes


def left(tmp_path: Path) -> Path:
    """The folder in which a child leaves them."""
    folder = tmp_path / "run" / "artifacts"
    folder.mkdir(parents=True)
    return folder


def kept(tmp_path: Path, settings) -> dict[str, str]:
    journal = journal_of(settings, log_bytes())
    keep_files(tmp_path / "run", journal, "01-rep-1", Redactor(["hunter2hunter2"]))
    return files_of(journal, "01-rep-1")


def test_a_secret_in_a_childs_file_is_masked(tmp_path, settings):
    (left(tmp_path) / "slurm.conf").write_text("Port=1\nPass=hunter2hunter2\n")
    assert kept(tmp_path, settings) == {"slurm.conf": "Port=1\nPass=<redacted>\n"}


def test_what_is_no_text_or_no_file_of_its_own_stays_out(tmp_path, settings):
    folder = left(tmp_path)
    (folder / "good.txt").write_text("good\n")
    (folder / "bytes.txt").write_bytes(b"\xff\xfe")
    (folder / "nul.txt").write_bytes(b"a\0b")
    (folder / "..odd").write_text("odd\n")
    (folder / "con.txt.").write_text("odd\n")
    (folder / "link.txt").symlink_to("/etc/hostname")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe.txt")
    assert kept(tmp_path, settings) == {"good.txt": "good\n"}


def test_a_child_that_leaves_nothing_is_nothing_special(tmp_path, settings):
    assert kept(tmp_path, settings) == {}


def test_a_long_file_keeps_its_begin_and_its_end(tmp_path, settings):
    with (left(tmp_path) / "long.log").open("w") as file:
        file.writelines(f"line {number:09}\n" for number in range(100_000))
    text = kept(tmp_path, settings)["long.log"]
    lines = text.splitlines()
    assert len(text) <= FILE_BYTES + 100
    assert (lines[0], lines[-1]) == ("line 000000000", "line 000099999")
    assert sum("left out here" in line for line in lines) >= 1


def test_the_files_of_a_child_that_was_cut_off_are_not_the_next_ones(tmp_path, settings):
    journal = journal_of(settings, log_bytes())
    (left(tmp_path) / "old.txt").write_text("old\n")
    keep_files(tmp_path / "run", journal, "01-rep-1", Redactor())
    keep_files(tmp_path / "again", journal, "01-rep-1", Redactor())
    assert files_of(journal, "01-rep-1") == {}


def test_in_a_record_all_files_together_are_bounded():
    long = "x" * 99 + "\n"
    runs = [ChildRun(ChildLog(f"{n:02}-a"), files={"a.log": long * 5000, "b.log": "short\n"}) for n in range(1, 9)]
    found = artifacts_of([*runs, ChildRun(ChildLog("09-a"))])
    assert found["artifacts/01-a.b.log"] == b"short\n"
    assert len(found) == 16
    assert sum(map(len, found.values())) <= FILE_BYTES + 16 * 100


def test_a_journal_that_was_meddled_with_gives_no_odd_names(settings):
    journal = journal_of(settings, log_bytes())
    journal.write("logs/01-rep-1.files", {"../x": "a", "good.txt": "b", "bad.txt": 3})
    assert files_of(journal, "01-rep-1") == {"good.txt": "b"}
    journal.write("logs/01-rep-1.files", ["x"])
    assert files_of(journal, "01-rep-1") == {}
