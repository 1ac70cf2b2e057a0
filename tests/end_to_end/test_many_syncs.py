"""`perfdb sync` in many processes at once, and killed at any moment: one whole MLflow run for each record."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from perfdb.processes.lock import Lock
from perfdb.tracking import Target
from perfdb.tracking.mapping import COMPLETE
from perfdb.tracking.seen import SeenRun, glance
from tests.end_to_end.conftest import Home
from tests.tracking.records import save

RECORDS = 12


def assert_one_whole_run_each(home: Home, deleted: int = 0) -> dict[str, SeenRun]:
    """Every record has one active run, which is complete and has all of the record's files; by record id.

    Args:
        deleted: So many runs are deleted; a doubled run that was put right again would be one more.
    """
    seen = glance(home.root / ".perfdb" / "mlflow.db", wait_s=5)
    active = {record_id: [run for run in runs if not run.deleted] for record_id, runs in seen.items()}
    assert {record_id: len(runs) for record_id, runs in active.items()} == {f.name: 1 for f in home.folders}
    with sqlite3.connect(home.root / ".perfdb" / "mlflow.db") as connection:
        places = dict(connection.execute("SELECT run_uuid, artifact_uri FROM runs"))
        points = dict(connection.execute("SELECT run_uuid, count(*) FROM metrics GROUP BY run_uuid"))
    assert len(places) == len(home.folders) + deleted
    for folder in home.folders:
        (run,) = active[folder.name]
        assert run.state == COMPLETE
        artifacts = Path(places[run.run_id].removeprefix("file://"))
        for file in ("record.json", "samples.parquet", "artifacts/config.py"):
            assert (artifacts / file).read_bytes() == (folder / file).read_bytes()
        assert points[run.run_id] == 10
    return {record_id: runs[0] for record_id, runs in active.items()}


def sync_at_once(home: Home, count: int) -> None:
    """So many of them stand before the same lock, with MLflow imported, before any of them may look or write."""
    logs = [f"sync-{number}.log" for number in range(count)]
    state = home.root / ".perfdb"
    with Lock(Target(f"sqlite:///{state / 'mlflow.db'}", str(state / "mlartifacts"), str(state)).lock_path, 5):
        running = [home.start("perfdb", "sync", log=log) for log in logs]
        wait_until_idle(home, 2 * count)
    assert [process.wait(300) for process in running] == [0] * count, [(home.root / log).read_text() for log in logs]


def wait_until_idle(home: Home, count: int) -> None:
    """Return once so many processes work for this root, and all only wait: they tell nobody what for."""
    used, before = 1.0, 0.0
    deadline = time.monotonic() + 120
    while used > 0.1 or len(home.processes()) < count:
        assert time.monotonic() < deadline, "they do not come to wait, or some have ended"
        time.sleep(0.5)
        now = sum(map(cpu_s, home.processes()))
        used, before = abs(now - before), now


def cpu_s(process: psutil.Process) -> float:
    """What it has used so far; nothing if it just ended, as one that asks for the version of something does."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def test_four_syncs_at_once_on_no_database_give_one_run_a_record(untouched: Home) -> None:
    for _ in range(RECORDS):
        save(untouched.root)
    sync_at_once(untouched, 4)
    assert_one_whole_run_each(untouched)


@pytest.mark.drill
def test_syncs_at_once_complete_a_half_synced_database(home: Home, drill_share: float) -> None:
    for _ in range(RECORDS // 2):
        save(home.root)
    assert home.perfdb("sync").returncode == 0
    before = assert_one_whole_run_each(home)
    half, by_hand = list(before)[:5], list(before)[5:10]
    with sqlite3.connect(home.root / ".perfdb" / "mlflow.db") as connection:
        for record_id in half:
            run = before[record_id].run_id
            connection.execute("UPDATE tags SET value = '1:begun' WHERE run_uuid = ? AND value = '1:complete'", [run])
            connection.execute("DELETE FROM metrics WHERE run_uuid = ?", [run])
            connection.execute("DELETE FROM latest_metrics WHERE run_uuid = ?", [run])
        for record_id in by_hand:
            connection.execute(
                "UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", [before[record_id].run_id]
            )
    for _ in range(RECORDS - RECORDS // 2):
        save(home.root)
    sync_at_once(home, max(3, round(8 * drill_share)))
    after = assert_one_whole_run_each(home, deleted=len(by_hand))
    assert all(after[record_id] == before[record_id] for record_id in before if record_id not in by_hand)


@pytest.mark.drill
def test_a_sync_that_is_killed_at_any_moment_is_completed_by_the_next(home: Home, drill_share: float) -> None:
    """The moments are drawn over the whole of a sync, by a seeded generator, or are those when the first new runs appear.

    Its child is killed with it.
    """
    chance = random.Random(20261122)
    save(home.root)
    begun = time.monotonic()
    assert home.perfdb("sync").returncode == 0
    length_s = time.monotonic() - begun
    database = home.root / ".perfdb" / "mlflow.db"
    for number in range(max(2, round(20 * drill_share))):
        for _ in range(RECORDS):
            save(home.root)
        known = len(glance(database, wait_s=5))
        process = home.start("perfdb", "sync")
        try:
            if number % 2:
                while len(glance(database, wait_s=5)) == known and process.poll() is None:
                    time.sleep(0.001)  # a database tells nobody that it grew
                process.wait(0)
            process.wait(chance.uniform(0.5, 1.2) * length_s)
        except subprocess.TimeoutExpired:
            for victim in home.processes():
                victim.send_signal(signal.SIGKILL)
            process.wait()
        done = home.perfdb("sync")
        assert done.returncode == 0, done.stderr
        assert_one_whole_run_each(home)


def test_a_database_whose_making_was_cut_off_is_made_anew(untouched: Home) -> None:
    save(untouched.root)
    process = untouched.start("perfdb", "sync")
    state = untouched.root / ".perfdb"
    while not any(has_tables(path) for path in state.glob("*mlflow.db*")):
        assert process.poll() is None
        time.sleep(0.005)  # a database tells nobody that it grew
    for victim in untouched.processes():
        victim.send_signal(signal.SIGKILL)
    process.wait()
    done = untouched.perfdb("sync")
    assert (done.returncode, done.stderr.count("warning")) == (0, 0), done.stderr
    assert_one_whole_run_each(untouched)
    assert [path.name for path in state.glob("*mlflow.db*")] == ["mlflow.db"]


def has_tables(path: Path) -> bool:
    """Whether it is a database with some of MLflow's tables."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as found,
    ):
        return bool(found.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 20)
    return False


def test_a_sync_with_nothing_to_do_imports_no_mlflow(home: Home) -> None:
    save(home.root)
    assert home.perfdb("sync").returncode == 0
    home.env["PYTHONPATH"] = str(home.root / "poisoned")
    (home.root / "poisoned").mkdir()
    (home.root / "poisoned" / "mlflow.py").write_text("raise ImportError('not needed')\n")
    done = home.perfdb("sync")
    assert (done.returncode, done.stdout) == (0, "0 killed runs filed; 0 records sent to MLflow; 1 there already.\n")
    save(home.root)
    assert home.perfdb("sync").returncode == 1


@pytest.mark.parametrize("content", [b"this is no database at all" * 400, None])
def test_a_database_that_can_not_be_used_is_rebuilt_once_it_is_moved_away(home: Home, content: bytes | None) -> None:
    save(home.root)
    assert home.perfdb("sync").returncode == 0
    database = home.root / ".perfdb" / "mlflow.db"
    if content is None:  # of a newer MLflow, as its migrations tell
        with sqlite3.connect(database) as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        save(home.root)
    else:
        database.write_bytes(content)
    done = home.perfdb("sync")
    assert done.returncode == 1
    assert f"`mv {database} {database}.old`" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    database.rename(f"{database}.old")
    assert home.perfdb("sync").returncode == 0
    assert_one_whole_run_each(home)
