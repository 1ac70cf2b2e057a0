"""What of a cluster is left: its processes, wherever they strayed, and its ports."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

from perfdb.platforms.pocket.places import MARKER, Places, Ports

if TYPE_CHECKING:
    import psutil

_DAEMONS = {"munged", "slurmctld", "slurmd", "slurmstepd", "slurmscriptd", "slurmdbd", "mariadbd"}


def processes(places: Places) -> list[psutil.Process]:
    """Every process of the cluster: daemons, and what jobs started. Our own and the user's shells are none.

    One that emptied its environment is known by its parents, as long as they live. One that also left them, as a daemon
    does, is not found.
    """
    import psutil

    ours = []
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.uids().real == os.getuid():
                ours.append((process, process.ppid()))
                if _belongs(process, places):
                    found[process.pid] = process
    before = -1
    while before != len(found):
        before = len(found)
        for process, parent in ours:
            if process.pid not in found and parent in found:
                with contextlib.suppress(psutil.Error):
                    # A number can be given again; children are younger than their parents.
                    if process.create_time() >= found[parent].create_time():
                        found[process.pid] = process
    return list(found.values())


def names(places: Places) -> set[str]:
    """Of the cluster's processes."""
    import psutil

    told = set()
    for process in processes(places):
        with contextlib.suppress(psutil.Error):
            told.add(process.name())
    return told


def _belongs(process: psutil.Process, places: Places) -> bool:
    environment = process.environ()
    if environment.get(MARKER) == str(places.folder):
        return True
    # A job's processes, whatever of the user's environment sbatch was told to leave out.
    if environment.get("SLURM_CLUSTER_NAME") == places.cluster_name and "SLURMD_NODENAME" in environment:
        return True
    # Some daemons write their title over their environment.
    if process.name() not in _DAEMONS and not process.name().startswith("slurm"):
        return False
    inside = f"{places.folder}/"
    return any(inside in word for word in process.cmdline()) or any(
        name.startswith(inside) for name in _open_names(process)
    )


def _open_names(process: psutil.Process) -> list[str]:
    folder = f"/proc/{process.pid}"
    names = []
    for link in [f"{folder}/cwd", *(f"{folder}/fd/{fd}" for fd in os.listdir(f"{folder}/fd"))]:  # noqa: PTH208
        with contextlib.suppress(OSError):
            names.append(os.readlink(link) + "/")  # noqa: PTH115 (a link to `pipe:[1]` is no path)
    return names


def listening(ports: Ports, nodes: int) -> list[int]:
    """Those of the cluster's ports that are taken."""
    return [port for port in all_ports(ports, nodes) if not is_free(port)]


def all_ports(ports: Ports, nodes: int) -> list[int]:
    """Each of them."""
    return [ports.slurmctld, ports.slurmdbd, *range(ports.slurmd, ports.slurmd + nodes)]


def is_free(port: int) -> bool:
    """Whether a daemon could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
