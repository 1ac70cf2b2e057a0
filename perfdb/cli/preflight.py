"""`perfdb preflight`: whether a service is fit to be measured."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from perfdb.services.addresses import Address
    from perfdb.services.connection import Connection
    from perfdb.services.preflight import Asked


def preflight(
    url: Annotated[str, typer.Argument(help="Where the service is, such as http://127.0.0.1:8000.", metavar="URL")],
    expected_hosts: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="How many hosts must answer.  [default: as the file says]")
    ] = None,
    admin: Annotated[
        str | None, typer.Option(help="Envoy's admin.  [default: as the file says, else port 9901 there]")
    ] = None,
    connection: Annotated[
        Path | None, typer.Option(help="File that names the workers.  [default: openenv-connection.env, if it is here]")
    ] = None,
    sessions: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many a run will open at once.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say whether a service is fit to be measured; exit code 5 when it is not.

    Looks at the workers, at Envoy and its config, at this machine's limits, and opens a few real sessions to see which hosts
    answer. Each line that failed ends with the remedy.

    \b
    Examples:
      source openenv-connection.env
      perfdb preflight $OPENENV_URL --expected-hosts $NUM_WORKERS --sessions 9000
    """
    from perfdb.cli.terminal import print_json, printable
    from perfdb.errors import EXIT_FAULTS
    from perfdb.services.preflight import look

    asked = _asked(url, expected_hosts, admin, connection, sessions)
    findings = []
    for finding in look(asked):
        findings.append(finding)
        if not as_json:
            mark = {"ok": "ok     ", "failed": "FAILED ", "skipped": "-      "}[finding.state]
            line = f"{mark} {finding.about:<14} {finding.found}" + (f" -> {finding.do}" if finding.do else "")
            print(printable(line), flush=True)
    fit = all(finding.state != "failed" for finding in findings)
    if as_json:
        print_json({"url": asked.service.url, "fit": fit, "checks": [asdict(finding) for finding in findings]})
    else:
        print("fit to be measured" if fit else "not fit to be measured")
    if not fit:
        sys.exit(EXIT_FAULTS)


def _asked(url: str, expected: int | None, admin: str | None, connection: Path | None, sessions: int) -> Asked:
    from perfdb.services.preflight import Asked

    service = _address(url)
    known = _connection(service, connection)
    if expected is None and known is not None:
        expected = len(known.workers)
    return Asked(service, expected, _admin(service, admin, known, expected), known, sessions)


def _connection(service: Address, given: Path | None) -> Connection | None:
    """What the file says. One that lies here by chance, and tells of another service or of none, is left alone."""
    from perfdb.cli.terminal import Voice
    from perfdb.errors import PerfdbError
    from perfdb.services.connection import FILE, Connection

    if given is not None:
        return Connection.read(given)
    here = Path(FILE)
    if not here.is_file():
        return None
    try:
        found = Connection.read(here)
        if service in (_address(found.url), *found.workers):
            return found
        why = f"it tells of {found.url}"
    except PerfdbError as error:
        why = str(error)
    Voice().warn(f"{here}, which lies here, was left alone: {why}")
    return None


def _admin(service: Address, given: str | None, known: Connection | None, expected: int | None) -> Address | None:
    from perfdb.services.addresses import Address
    from perfdb.services.envoy.config import DEFAULT_ADMIN_PORT

    if given is not None:
        return _address(given)
    if known is not None:
        return Address(known.envoy_node, known.admin_port)
    return Address(service.host, DEFAULT_ADMIN_PORT) if expected is not None and expected > 1 else None


def _address(url: str) -> Address:
    from urllib.parse import urlsplit

    from perfdb.errors import UsageError
    from perfdb.services.addresses import Address

    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or 80
    except ValueError:
        raise UsageError(f"{url[:200]!r} is no URL. Write one as http://127.0.0.1:8000.") from None
    if parts.scheme != "http" or parts.path not in ("", "/") or not parts.hostname or parts.username or parts.query:
        raise UsageError(
            f"{url[:200]!r} is not what is looked for here: http, a host and a port, as http://127.0.0.1:8000."
        )
    return Address("127.0.0.1" if parts.hostname == "localhost" else parts.hostname, port)
