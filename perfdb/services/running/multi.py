"""A whole service on this machine: several backends, and Envoy before them."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from perfdb.errors import ServiceError
from perfdb.services import benchmark, lean
from perfdb.services.addresses import Address, check_free
from perfdb.services.asking import is_healthy
from perfdb.services.benchmark.server import check_installed, command
from perfdb.services.connection import CONFIG_FILE, FACTS, Connection, put
from perfdb.services.envoy import Balancer, config_yaml, find_envoy, validate
from perfdb.services.envoy import admin as asked
from perfdb.services.running.service import Part, Service
from perfdb.services.running.telling import ConnectionFile

# Three openenv-core servers take ten seconds on two slow cores.
PATIENCE_S = 180.0
_ASK_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Local:
    """What `perfdb serve multi` starts.

    Attributes:
        backends: How many; they listen on 127.0.0.2 and what follows.
        port: Of Envoy on 127.0.0.1, and of every backend.
        admin_port: Of Envoy's admin.
        is_lean: Lean backends instead of openenv-core's.
        workers: Processes of each backend.
        most: Sessions of each process; None for the server's own default.
        restart_s: Seconds after which a backend that ended is started again.
    """

    backends: int = 3
    port: int = 8000
    admin_port: int = 9901
    is_lean: bool = False
    workers: int = 1
    most: int | None = None
    restart_s: float = 5.0

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The backends'."""
        return tuple(Address(f"127.0.0.{2 + number}", self.port) for number in range(self.backends))

    @property
    def balancer(self) -> Balancer:
        """Envoy."""
        here = "127.0.0.1"
        return Balancer(Address(here, self.port), Address(here, self.admin_port), self.addresses)

    def parts(self) -> list[Part]:
        """The backends' programs."""
        return [Part(f"backend {address}", tuple(self._command(address)), self.restart_s) for address in self.addresses]

    def _command(self, address: Address) -> list[str]:
        if self.is_lean:
            told = lean.Options(host=address.host, port=address.port, workers=self.workers, capacity=self.most)
            return [sys.executable, "-P", "-m", "perfdb.services.lean", told.to_json()]
        most = {} if self.most is None else {"max_concurrent_envs": self.most}
        options = benchmark.Options(host=address.host, port=address.port, workers=self.workers, **most)
        return command(options)


@contextmanager
def local(options: Local, folder: Path, log: Path, say: Callable[[str], None]) -> Iterator[Service]:
    """The service, once it answers and `openenv-connection.env` lies in `folder`; ended with the context.

    Raises:
        ServiceError: something is missing, a port is taken, a part does not start.
    """
    if not options.is_lean:
        check_installed()
    for address in options.addresses:
        check_free(address)
    facts = {"OPENENV_WORKERS_PER_NODE": str(options.workers)}
    with balanced(options.balancer, options.parts(), folder, log, say, facts) as service:
        yield service


@contextmanager
def balanced(
    balancer: Balancer,
    parts: list[Part],
    folder: Path,
    log: Path,
    say: Callable[[str], None],
    facts: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Service]:
    """Envoy before backends, those in `parts` started with it; for the rest as `local`.

    Args:
        balancer: Envoy.
        parts: The programs of those backends that do not run yet.
        folder: Where the service tells of itself, one at a time.
        log: Where the supervisor notes what the parts say; an older one is replaced. Envoy's config lies beside it.
        say: Told of parts that end and of what they print.
        facts: What else the connection file is to say, see `Connection`.

    Raises:
        ServiceError: Envoy is not installed or refuses its config, an address is taken, a part does not start, or an older
            log cannot be removed.
    """
    envoy = find_envoy()
    for address in (balancer.listener, balancer.admin):
        check_free(address)
    config = log.with_suffix(".yaml")
    argv = (str(envoy), "-c", str(config), "--use-dynamic-base-id", "-l", "error")
    with ConnectionFile(folder) as file:
        put(config, config_yaml(balancer))
        try:
            log.unlink(missing_ok=True)
        except OSError as error:
            raise ServiceError(
                f"{log}, an older service's log, cannot be removed: {error.strerror}. Remove it."
            ) from error
        validate(envoy, config)
        put(folder / CONFIG_FILE, config_yaml(balancer))  # for people: nothing reads it
        with Service([*parts, Part("envoy", argv, restart_s=None)], log, say) as service:
            service.wait_until(lambda: _not_ready(balancer), PATIENCE_S)
            pids: dict[str, int] = {}

            def tell() -> None:
                pids.update(service.pids)  # of a server that is down the last one stands, so that the order stays
                told = Connection(
                    balancer.listener.url,
                    balancer.backends,
                    balancer.admin.host,
                    balancer.admin.port,
                    tuple(pids[part.name] for part in parts if part.name in pids),
                    {**_facts(), **facts},
                )
                file.put(told.text())

            def tell_again() -> None:
                try:
                    tell()
                except ServiceError as error:  # the service is worth more than the file
                    say(str(error))

            tell()
            service.restarted = tell_again
            yield service


def _facts() -> dict[str, str]:
    """What whoever started us knows of the deployment; without that, what was typed."""
    # Under other names than in the file: a shell that has sourced one of an older service has those.
    said = {name: os.environ[f"PERFDB_{name}"] for name in FACTS if os.environ.get(f"PERFDB_{name}")}
    name = Path(sys.argv[0]).name
    return {"OPENENV_SERVER_COMMAND": shlex.join([name, *sys.argv[1:]]), **said} if name.startswith("perfdb") else said


def _not_ready(balancer: Balancer) -> str | None:
    try:
        seen = asked.clusters(balancer.admin, _ASK_TIMEOUT_S)
    except ServiceError as error:
        return str(error)
    ill = [backend.address for backend in seen.backends if not backend.healthy]
    if ill or len(seen.backends) < len(balancer.backends):
        return f"{', '.join(ill) or 'not every backend'} is not healthy yet"
    return None if is_healthy(balancer.listener, _ASK_TIMEOUT_S) else f"{balancer.listener} does not answer yet"
