"""Whether this machine, and Envoy where it runs here too, can hold as many sessions."""

from __future__ import annotations

import contextlib
import ipaddress
import resource
from collections.abc import Iterator

from perfdb.services.addresses import Address
from perfdb.services.limits import port_count, raisable_file_limit
from perfdb.services.preflight.finding import Finding, failed, ok, skipped

# Files that are not sessions: the interpreter's, logs, the loop's own.
_SPARE = 64


def look(service: Address, admin: Address | None, sessions: int) -> Iterator[Finding]:
    """Files of the client, ports of this machine, files of Envoy."""
    yield _files(sessions)
    yield _ports(service, sessions)
    if admin is not None:
        yield _envoys_files(admin, sessions)


def _files(sessions: int) -> Finding:
    files = raisable_file_limit()
    if files == resource.RLIM_INFINITY or files >= sessions + _SPARE:
        told = "as many as it wants" if files == resource.RLIM_INFINITY else f"{files:,}"
        return ok("files", f"a client here may open {told}, {sessions:,} are planned")
    return failed(
        "files",
        f"a client here may open {files:,} files, and {sessions:,} sessions are planned",
        "raise the hard limit (`ulimit -Hn`, /etc/security/limits.conf), or spread the clients over processes",
    )


def _ports(service: Address, sessions: int) -> Finding:
    ports = port_count()
    if ports is None:
        return skipped("ports", "this system does not say how many there are")
    if ports < sessions:
        return failed(
            "ports",
            f"from one address {ports:,} connections to {service} are possible, and {sessions:,} are planned",
            "widen net.ipv4.ip_local_port_range, or spread the clients over machines",
        )
    return ok("ports", f"{ports:,} to connect from")


def _envoys_files(admin: Address, sessions: int) -> Finding:
    files = _limit_of_listener(admin)
    if files is None:
        return skipped("envoy's files", f"the process at {admin} can't be seen from here")
    needed = 2 * sessions + _SPARE
    if files < needed:
        return failed(
            "envoy's files",
            f"Envoy may open {files:,}, and {sessions:,} sessions take two each",
            "raise the limit (`ulimit -n`) where Envoy is started, and start it again",
        )
    return ok("envoy's files", f"{files:,}, two a session")


def _limit_of_listener(admin: Address) -> int | None:
    """The file limit of the process that listens there, if it is one of this machine that we may look at."""
    import psutil

    if not _is_loopback(admin.host):
        return None
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if process.name().startswith("envoy") and any(
                one.status == psutil.CONN_LISTEN and one.laddr.port == admin.port
                for one in process.net_connections("tcp")
            ):
                limit = process.rlimit(psutil.RLIMIT_NOFILE)[0]
                return limit if limit != psutil.RLIM_INFINITY else 2**62
    return None


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
