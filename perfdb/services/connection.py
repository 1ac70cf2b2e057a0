"""`openenv-connection.env`: where a service is, for a shell to `source` and for us to read."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from perfdb.errors import ServiceError, UsageError
from perfdb.services.addresses import Address
from perfdb.services.envoy.config import DEFAULT_ADMIN_PORT

FILE = "openenv-connection.env"
CONFIG_FILE = "envoy-config-generated.yaml"
# What started the service, and what each of its nodes has.
FACTS = ("OPENENV_SERVER_COMMAND", "OPENENV_CPUS_PER_NODE", "OPENENV_WORKERS_PER_NODE")
_LONGEST = 1024 * 1024


@dataclass(frozen=True)
class Connection:
    """What a client needs to know.

    Attributes:
        url: Where the service is, through its balancer.
        workers: The servers behind it.
        envoy_node: The balancer's host.
        admin_port: Of the balancer's admin there.
        worker_pids: The processes of those servers, in their order, where they are this machine's.
        facts: What else is known, by the names of `FACTS`: for people's logs, and read by nobody here.
    """

    url: str
    workers: tuple[Address, ...]
    envoy_node: str
    admin_port: int = DEFAULT_ADMIN_PORT
    worker_pids: tuple[int, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict, compare=False)

    def text(self) -> str:
        """The file."""
        values = {
            "OPENENV_URL": self.url,
            "WORKER_NODES": " ".join(worker.host for worker in self.workers),
            "WORKER_URLS": " ".join(worker.url for worker in self.workers),
            "NUM_WORKERS": str(len(self.workers)),
            "ENVOY_NODE": self.envoy_node,
            "ENVOY_ADMIN_PORT": str(self.admin_port),
        }
        if self.worker_pids:
            values["WORKER_PIDS"] = " ".join(map(str, self.worker_pids))
        values |= {name: self.facts[name] for name in FACTS if self.facts.get(name)}
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())

    @classmethod
    def read(cls, path: Path) -> Self:
        """What the file says. It is read as text; nothing in it is ever run.

        Raises:
            ServiceError: it can't be read or lacks something.
        """
        values = assignments(_text_of(path))
        try:
            workers = [url.removeprefix("http://") for url in values["WORKER_URLS"].split()]
            admin = Address(values["ENVOY_NODE"], int(values.get("ENVOY_ADMIN_PORT", DEFAULT_ADMIN_PORT)))
            return cls(values["OPENENV_URL"], tuple(map(Address.parsed, workers)), admin.host, admin.port)
        except (KeyError, ValueError, UsageError) as error:
            why = f"it does not set {error}" if isinstance(error, KeyError) else str(error)
            raise ServiceError(
                f"{path} does not say where a service is: {why.rstrip('.')}. Have it written anew."
            ) from error


def _text_of(path: Path) -> str:
    try:
        # A pipe would keep us at its opening for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 (a descriptor has no path)
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            data = file.read(_LONGEST + 1) if is_file else b""
    except OSError as error:
        raise ServiceError(
            f"{path} cannot be read: {error.strerror}. `perfdb serve multi` and deploy/slurm/serve_multi.sh write it; "
            "name it with --connection."
        ) from error
    if not is_file or len(data) > _LONGEST:
        raise ServiceError(
            f"{path} is {'larger than 1 MiB' if is_file else 'no file'}, and so not what `perfdb serve multi` or "
            "deploy/slurm/serve_multi.sh wrote. Name theirs with --connection."
        )
    return data.decode("utf-8", "replace")


def assignments(text: str) -> dict[str, str]:
    """The variables that a file of `export NAME=VALUE` sets, the last one of a name; nothing in it is ever run."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.isidentifier():
            with contextlib.suppress(ValueError):
                found[name] = " ".join(shlex.split(value))
    return found


def put(path: Path, text: str) -> None:
    """Have the file hold that, whole or not at all.

    Raises:
        ServiceError: it can't be written.
    """
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with draft.open("x") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise ServiceError(
            f"{path} could not be written: {error.strerror}. Free some space, or start from a folder that you may write to."
        ) from error
