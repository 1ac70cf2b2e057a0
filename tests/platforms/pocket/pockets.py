"""Pocket clusters for tests: each with a name of its own, and a look at the machine that asks nothing of perfdb."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil

from perfdb.platforms.pocket import Options, Places, cluster
from perfdb.platforms.pocket.status import status
from perfdb.platforms.pocket.traces import all_ports

BIN = Path(sys.executable).parent
_NUMBERS = count()


def fresh() -> Places:
    """Where no other test's cluster is."""
    return Places.of(f"t{os.getpid()}_{next(_NUMBERS)}")


@contextlib.contextmanager
def running(options: Options, places: Places | None = None) -> Iterator[Places]:
    """A cluster of our own, and nothing of it afterwards."""
    places = places or fresh()
    try:
        cluster.up(places, options, print)
        yield places
    finally:
        cluster.down(places, print)


def slurm(places: Places, *argv: str, timeout: float = 60) -> str:
    """What one of Slurm's commands says, run as a user does after `eval "$(perfdb cluster env)"`."""
    environment = {**os.environ, **places.exports()}
    done = subprocess.run(
        argv, env=environment, cwd=places.folder, check=False, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout.strip()


def perfdb(*arguments: str) -> subprocess.Popen[str]:
    """The command, started."""
    return subprocess.Popen(
        [str(BIN / "perfdb"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/"
    )


def wait_until(holds: Callable[[], object], patience_s: float = 60) -> None:
    """Return once it does."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, holds
        time.sleep(0.05)


def kill(places: Places, *daemons: str) -> None:
    """Kill those of its daemons."""
    running_now = status(places).daemons
    processes = [psutil.Process(running_now[daemon] or 0) for daemon in daemons]
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)


@dataclass(frozen=True)
class Machine:
    """What a cluster could leave behind."""

    processes: frozenset[str]
    files: frozenset[str]
    mounts: str

    @classmethod
    def now(cls, places: Places) -> Machine:
        """By a search for the cluster's folder and name in all that each process shows."""
        processes = frozenset(found for entry in Path("/proc").iterdir() if (found := _mentions(entry, places)))
        files = frozenset(map(str, places.folder.parent.glob(f"{places.folder.name}*")))
        return cls(processes, files, Path("/proc/mounts").read_text())


def _mentions(entry: Path, places: Places) -> str | None:
    if not entry.name.isdigit() or int(entry.name) == os.getpid():
        return None
    told = b""
    for name in ("cmdline", "environ"):
        with contextlib.suppress(OSError):
            told += (entry / name).read_bytes()
    with contextlib.suppress(OSError):
        for link in [entry / "cwd", *(entry / "fd").iterdir()]:
            with contextlib.suppress(OSError):
                told += str(link.readlink()).encode()
    words = (str(places.folder).encode(), places.cluster_name.encode())
    return f"{entry.name}: {told[:200]!r}" if any(word in told for word in words) else None


def nothing_left(places: Places, before: Machine) -> None:
    """Fails on any process, file or mount that was not there before."""
    now = Machine.now(places)
    assert (now.processes, now.files, now.mounts) == (before.processes, before.files, before.mounts)


def can_listen(ports: list[int]) -> bool:
    """Whether somebody else could, on each of them."""
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
            probe.listen()
    return True


def ports_of(places: Places) -> list[int]:
    """All that the cluster listens on, or may."""
    described = places.description()
    assert described is not None
    return all_ports(described.ports, described.options.nodes)
