"""What commands do where no daemon runs; with one, daemon/test_program.py shows it."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from perfdb.errors import MiniSlurmError, UsageError
from perfdb.minislurm import client
from perfdb.minislurm.places import Places
from perfdb.minislurm.store.lock import WriterLock
from tests.minislurm.daemon.running import House, house, request

__all__ = ["house"]


def test_without_a_daemon_a_submission_waits_for_one_and_a_note_says_so(house: House) -> None:
    done = client.submit(house.places, request("true"))

    assert done.ids == range(1, 2)
    assert "no scheduler runs" in done.notes[0]
    assert stat.S_IMODE(house.places.database.stat().st_mode) == 0o600
    house.start()
    assert house.ended(1).state == "COMPLETED"


def test_submissions_by_many_at_once_without_a_daemon_are_all_kept(house: House) -> None:
    program = (
        "from perfdb.minislurm import client; from perfdb.minislurm.places import Places\n"
        "from tests.minislurm.daemon.running import request\n"
        "for _ in range(5): client.submit(Places.here(), request('true', array=(0, 1)))\n"
    )
    env = {"MINI_SLURM_HOME": str(house.places.home), "PYTHONPATH": str(Path.cwd()), "PATH": "/usr/bin:/bin"}

    submitters = [subprocess.Popen([sys.executable, "-c", program], env=env) for _ in range(3)]

    assert [submitter.wait() for submitter in submitters] == [0, 0, 0]
    house.start()
    assert len(house.wait(range(1, 31))) == 30


def test_waiting_without_a_daemon_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MiniSlurmError, match="start one with mini-slurm scheduler"):
        client.wait(Places(tmp_path), [1], None, lambda one: None)


def test_waiting_ends_with_the_daemon(house: House) -> None:
    house.start()
    id = house.submit("sleep", "1000")
    house.started(id)
    other = house.submit("sh", "-c", f"kill {house.daemon and house.daemon.pid}")

    with pytest.raises(MiniSlurmError, match="the scheduler ended while we waited"):
        client.wait(house.places, [id, other], 60, lambda one: None)


def test_more_than_the_daemon_offers_is_refused_with_the_number(house: House) -> None:
    house.start(cpus=3)

    with pytest.raises(UsageError, match="more than the scheduler offers: 3"):
        client.submit(house.places, request("true", cpus=4))


def test_a_home_at_the_end_of_a_long_path_has_sockets_too(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 20) / ("deeper" * 20)
    home.mkdir(parents=True)
    house = House(home)
    try:
        daemon = house.start()
        assert client.is_running(house.places) == daemon.pid
        assert house.ended(house.submit("true")).state == "COMPLETED"
    finally:
        house.close()


def test_cancelling_what_waits_needs_no_daemon(tmp_path: Path) -> None:
    places = Places(tmp_path)
    client.submit(places, request("true"))

    assert client.cancel(places, [1, 2]) == {1: "cancelled", 2: "unknown"}
    assert client.cancel(places, [1]) == {1: "ended"}


def test_a_lock_that_nobody_gives_back_is_told_with_who_may_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_PATIENCE_S", 0.05)
    with WriterLock(Places(tmp_path)) as lock:
        assert lock.try_take()
        with pytest.raises(MiniSlurmError, match="fuser"):
            client.submit(Places(tmp_path), request("true"))
