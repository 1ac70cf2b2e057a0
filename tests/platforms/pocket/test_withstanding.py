"""What other users, crashes and the network do to a cluster, on a real Slurm."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from perfdb.errors import ClusterError
from perfdb.platforms.pocket import Options, Places, addresses, cluster
from perfdb.platforms.pocket.traces import processes
from perfdb.processes.lock import Lock
from tests.platforms.pocket.pockets import Machine, fresh, kill, nothing_left, running, slurm, wait_until

pytestmark = pytest.mark.usefixtures("real_slurm")
TWO = Options(nodes=2)


@pytest.mark.parametrize("suffix", ["", ".breaking"])
@pytest.mark.parametrize("plant", [Path.touch, os.mkfifo, lambda path: path.symlink_to("nowhere")])
def test_a_lock_that_somebody_planted_is_refused(plant: Callable[[Path], None], suffix: str) -> None:
    places = fresh()
    lock = places.lock.with_name(places.lock.name + suffix)
    plant(lock)
    try:
        with pytest.raises(ClusterError, match=rf"{lock} lies where the lock of the cluster .*`ls -ld {lock}`"):
            Places.of(places.name)
    finally:
        lock.unlink()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a folder somebody else's")
def test_a_lock_of_another_user_is_refused() -> None:
    places = fresh()
    places.lock.mkdir()
    try:
        os.chown(places.lock, 65534, 65534)
        with pytest.raises(ClusterError, match="is no folder of yours"):
            Places.of(places.name)
    finally:
        places.lock.rmdir()


def test_who_waits_for_another_command_says_so() -> None:
    places = fresh()
    said: list[str] = []
    with Lock(places.lock, 0):
        waiting = threading.Thread(target=cluster.down, args=(places, said.append))
        waiting.start()
        wait_until(lambda: said)
    waiting.join(60)
    assert said == [
        f"another `perfdb cluster up` or `down` sees to the cluster {places.name!r}, or was killed just now; waiting"
    ]


@pytest.mark.parametrize("left", [{"munged"}, {"munged", "slurmctld"}, {"slurmd-n0", "slurmd-n1"}])
def test_what_a_crash_left_without_any_job_is_ended_by_up(left: set[str]) -> None:
    places = fresh()
    before = Machine.now(places)
    first = cluster.up(places, TWO, print)
    kill(places, *(name for name in first.daemons if name not in left))
    said: list[str] = []
    again = cluster.up(places, TWO, said.append)
    assert said[:2] == [
        f"ending what a crash left of the cluster {places.name!r}",
        f"the cluster {places.name!r} is gone, by a crash or a reboot; it starts anew, without its old jobs",
    ]
    assert again.up
    assert not set(first.daemons.values()) & set(again.daemons.values())
    assert cluster.down(places, print)
    nothing_left(places, before)


def test_several_daemons_that_are_dead_do_not_answer() -> None:
    places = fresh()
    before = Machine.now(places)
    cluster.up(places, TWO, print)
    slurm(places, "sbatch", "--hold", "--output=/dev/null", "--wrap=true")
    kill(places, "slurmd-n0", "slurmd-n1")
    with pytest.raises(ClusterError, match="slurmd-n0, slurmd-n1 do not answer"):
        cluster.up(places, TWO, print)
    assert cluster.down(places, print)
    nothing_left(places, before)


@pytest.mark.parametrize("slurmctld", ["lives", "dead"])
def test_down_ends_a_process_that_emptied_its_environment_while_its_parents_live(slurmctld: str) -> None:
    places = fresh()
    before = Machine.now(places)
    seconds = f"{600_000_000 + os.getpid()}"
    hides = f"trap '' TERM; env -i setsid sleep {seconds} & touch {places.folder}/hidden; wait"
    with running(Options(nodes=1), places):
        slurm(places, "sbatch", "--output=/dev/null", f"--wrap={hides}")
        wait_until((places.folder / "hidden").exists)
        wait_until(lambda: _sleeping(seconds))
        (hidden,) = _sleeping(seconds)
        assert hidden in processes(places)
        if slurmctld == "dead":  # and cancels no job
            kill(places, "slurmctld")
    assert not _sleeping(seconds)
    nothing_left(places, before)


def _sleeping(seconds: str) -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", seconds]]


@pytest.mark.parametrize("options", [TWO, Options(nodes=1, cloud=True, boot_s=0), Options(nodes=1, accounting=True)])
def test_nothing_listens_beyond_this_machine_or_that_is_said(options: Options) -> None:
    said: list[str] = []
    places = fresh()
    try:
        cluster.up(places, options, said.append)
        slurm(places, "srun", "true")  # a cloud node listens too by now
        found = [
            connection.laddr.ip
            for process in processes(places)
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert len(found) >= 1 + options.nodes + options.accounting
        if addresses.is_closed():
            assert (set(found), said) == ({"127.0.0.1"}, [])
        else:
            assert "every address" in said[0]
    finally:
        cluster.down(places, print)


@pytest.mark.parametrize(
    ("name", "closed"),
    [("localhost", True), ("127.0.1.1", False), ("192.0.2.7", False), ("no.such.name.invalid", False)],
)
def test_a_machines_name_tells_whether_its_daemons_can_be_closed(
    name: str, closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses.socket, "gethostname", lambda: name)
    assert addresses.is_closed() == closed
