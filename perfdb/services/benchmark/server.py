"""uvicorn with the benchmark application, until it is told to end."""

from __future__ import annotations

import importlib.util
import os
import sys

from perfdb.errors import ServiceError
from perfdb.services.addresses import Address, check_free, host_url
from perfdb.services.benchmark.options import Options
from perfdb.services.envoy.program import INSTALL
from perfdb.services.lifeline import PARENT

# What the application needs to know; uvicorn's workers get nothing else of ours.
MOST = "MAX_CONCURRENT_ENVS"
HOST_URL = "PERFDB_SERVICE_HOST_URL"
TOP = "PERFDB_SERVICE_PID"
# Sessions that are still open don't keep a server that is to end.
_GRACE_S = 3


def command(options: Options) -> list[str]:
    """The program that serves so, as a command."""
    return [sys.executable, "-P", "-m", "perfdb.services.benchmark", options.to_json()]


def check(options: Options) -> None:
    """Return if it could be served now.

    Raises:
        ServiceError: openenv-core is missing, or the address can't be listened on.
    """
    check_installed()
    check_free(Address(options.host, options.port))


def check_installed() -> None:
    """Return if openenv-core can be imported.

    Raises:
        ServiceError: it is missing; says what to install.
    """
    if any(importlib.util.find_spec(package) is None for package in ("openenv", "uvicorn")):
        raise ServiceError(
            f"openenv-core is not installed here. Install it with `{INSTALL}`, or use the lean server, which needs nothing."
        )


def serve(options: Options) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ServiceError: as `check`.
    """
    check(options)
    import uvicorn

    os.environ[MOST] = str(options.max_concurrent_envs)
    os.environ[HOST_URL] = host_url(options.host, options.port)
    os.environ[TOP] = str(os.getpid())
    if options.workers > 1:
        os.environ[PARENT] = str(os.getpid())
    uvicorn.run(
        "perfdb.services.benchmark.child.app:app",
        host=options.host,
        port=options.port,
        workers=options.workers,
        log_level="warning",
        access_log=False,
        backlog=4096,
        timeout_graceful_shutdown=_GRACE_S,
    )
