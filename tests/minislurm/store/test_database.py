"""What may be opened, and what is left as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from perfdb.errors import MiniSlurmError
from perfdb.minislurm.places import Places
from perfdb.minislurm.store.database import open_to_read, open_to_write, transaction
from perfdb.minislurm.store.lock import make_folders

ORIGINAL = "CREATE TABLE jobs (id INTEGER PRIMARY KEY, command TEXT, status TEXT, is_elastic INTEGER, min_cpus INTEGER)"


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    places = Places(tmp_path)
    with sqlite3.connect(places.database) as connection:
        connection.execute(ORIGINAL)
    connection.close()
    before = places.database.read_bytes()

    for opening in (open_to_read, open_to_write):
        with pytest.raises(
            MiniSlurmError, match=r"another program's database, with the tables jobs.*mv .*MINI_SLURM_HOME"
        ):
            opening(places)

    assert places.database.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [places.database.name]


def test_a_newer_versions_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    places = Places(tmp_path)
    connection = open_to_write(places)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    before = places.database.read_bytes()

    for opening in (open_to_read, open_to_write):
        with pytest.raises(MiniSlurmError, match=r"newer mini-slurm \(format 2; this one knows 1\); update perfdb"):
            opening(places)

    assert places.database.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.database.write_text("dear diary, " * 1000)
    before = places.database.read_bytes()

    for opening in (open_to_read, open_to_write):
        with pytest.raises(MiniSlurmError, match="can't be read as a database"):
            opening(places)

    assert places.database.read_bytes() == before


def test_reading_where_there_is_nothing_finds_nothing_and_makes_nothing(tmp_path: Path) -> None:
    connection = open_to_read(Places(tmp_path))

    assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_was_killed_before_it_made_the_tables_is_got_over(tmp_path: Path) -> None:
    places = Places(tmp_path)
    with sqlite3.connect(places.database) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()

    assert open_to_read(places).execute("SELECT count(*) FROM jobs").fetchone() == (0,)
    assert open_to_write(places).execute("SELECT count(*) FROM jobs").fetchone() == (0,)


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    places = Places(tmp_path)
    connection = open_to_write(places)

    with pytest.raises(MiniSlurmError, match="make room"), transaction(connection):
        connection.execute("INSERT INTO facts VALUES ('a', '1')")
        connection.execute("INSERT INTO facts VALUES ('a', '2')")

    assert connection.execute("SELECT count(*) FROM facts WHERE name = 'a'").fetchone() == (0,)


def test_a_home_that_cannot_be_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(MiniSlurmError, match="set MINI_SLURM_HOME to another folder"):
        make_folders(Places(tmp_path / "file" / "home"))
