"""What stands around a run and tells how the service was deployed, for the runbook's log entry. Pure.

It is believed only where it speaks of the service that was measured: a connection file of another one lies about too.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import urlsplit

from perfdb.families.base import Around
from perfdb.record import Record

CONNECTION_FILE = "openenv-connection.env"
_LONGEST = 2000


@dataclass(frozen=True)
class Deployed:
    """What is known of it; None where nobody said.

    Attributes:
        scheduler: `slurm` where the service runs in the Slurm allocation that we are in.
        nodes: How many workers there are.
        cpus_per_node, workers_per_node: Of each of them; numbers, or what else there is to say.
        server_command: What started the service.
    """

    scheduler: str | None
    nodes: int | None
    cpus_per_node: str | None
    workers_per_node: str | None
    server_command: str | None


def deployed(url: str, record: Record, around: Around, processes: int) -> Deployed:
    """What is known of the service at `url`.

    Args:
        processes: The most that answered on any one host; 0 where none told.
    """
    from perfdb.services.connection import assignments

    said = assignments(around.files.get(CONNECTION_FILE, ""))
    if said.get("OPENENV_URL", "").rstrip("/") != url.rstrip("/"):
        said = {}
    nodes = _number(said.get("NUM_WORKERS"))
    # In the shell of the allocation that holds the balancer and the workers, and in no other.
    here = around.variables if nodes and _number(around.variables.get("SLURM_JOB_NUM_NODES")) == nodes + 1 else {}
    in_slurm = "SLURM_JOB_ID" in here
    cpus = said.get("OPENENV_CPUS_PER_NODE") or here.get("SLURM_CPUS_PER_TASK") or _of_this_machine(url, said, record)
    workers = said.get("OPENENV_WORKERS_PER_NODE") or here.get("WORKERS_PER_NODE") or here.get("SLURM_CPUS_PER_TASK")
    answered = f"at least {processes}, by the processes that answered" if processes else None
    return Deployed(
        scheduler="slurm" if in_slurm else None,
        nodes=nodes,
        cpus_per_node=cpus[:_LONGEST] if cpus else None,
        workers_per_node=workers[:_LONGEST] if workers else answered,
        server_command=said.get("OPENENV_SERVER_COMMAND", "")[:_LONGEST] or None,
    )


def command_of(url: str, record: Record, around: Around) -> str:
    """What was typed; where that is not known any more, since the files are written later, the same in other words."""
    program, *rest = around.typed or ("",)
    name = PurePath(program).name
    if name.startswith("perfdb") and "run" in rest[:1] and "scaling" in rest:
        return shlex.join([name, *rest])
    options = [_option(name, value) for name, value in record.spec.items() if value is not None]
    return " ".join([f"perfdb run scaling {shlex.quote(url)}", *filter(None, options)])


def _option(name: str, value: object) -> str:
    flag = f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return flag if value else ""
    return f"{flag} {shlex.quote(str(value))}"


def _of_this_machine(url: str, said: Mapping[str, str], record: Record) -> str | None:
    """The CPUs of services that can only be on this machine."""
    hosts = [urlsplit(url).hostname or "", *said.get("WORKER_NODES", "").split()]
    host = record.environment.submit_host
    count = host and (host.cpu_usable or host.cpu_count)
    if not count or not all(map(_is_loopback, hosts)):
        return None
    return f"{count}, this machine's, which the load's clients use as well"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else None
