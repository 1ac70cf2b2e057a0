"""Envoy: is it here, does it start."""

from __future__ import annotations

from collections.abc import Iterator

from perfdb.cli.doctor.here import Here
from perfdb.cli.doctor.installing import extra
from perfdb.cli.doctor.point import Point
from perfdb.errors import ServiceError

NEEDED_FOR = "perfdb serve multi"


def look(here: Here) -> Iterator[Point]:
    """Find it, have it read an empty config."""
    from perfdb.services.envoy.program import find_envoy

    try:
        envoy = find_envoy()
    except ServiceError:
        yield Point("envoy", "note", "not installed", NEEDED_FOR, extra("scaling"))
        return
    release = here.ask([str(envoy), "--version"])
    empty = ("--mode", "validate", "--use-dynamic-base-id", "-l", "error", "--config-yaml", "{}")
    start = here.ask([str(envoy), *empty]) if release.well else release
    if not start.well:
        fix = f"{extra('scaling')} --force-reinstall --no-deps; it wants x86-64 or arm64 and glibc"
        yield Point("envoy", "note", f"does not start: {start.complaint}", NEEDED_FOR, fix)
        return
    words = release.out.split("/")
    yield Point("envoy", "ok", f"{words[-4] if len(words) > 4 else 'here'}, it starts", NEEDED_FOR)
