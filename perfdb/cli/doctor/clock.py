"""The clocks: whether the wall clock is kept in step with others', how fine they are, whether it is moved meanwhile."""

from __future__ import annotations

import ctypes
import itertools
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from perfdb.cli.doctor.here import Here
from perfdb.cli.doctor.installing import as_root, system_package
from perfdb.cli.doctor.point import Point
from perfdb.units import duration

NEEDED_FOR = "perfdb run autoscale, schedulers: times of several hosts are compared"
_DURATIONS = "every run: durations"
_WATCHED_S = 0.3
_JUMP_S = 0.001
_COARSE_S = 1e-4
# adjtimex(2): the answer that no one keeps the clock in step, and the beginning of its structure.
_UNSYNCHRONISED = 5
_TIMEX = "@Illll"
_TIMEX_BYTES = 512


class Reading(NamedTuple):
    """Both clocks at one moment, in seconds, each on its own scale."""

    wall_s: float
    monotonic_s: float


def look(here: Here) -> Iterator[Point]:  # noqa: ARG001 (a check's shape)
    """Begin to watch, look at the rest, end watching."""
    before = _reading()
    yield _synchronised()
    yield _resolution()
    time.sleep(_WATCHED_S)
    yield told_jump(before, _reading())


def told_jump(before: Reading, after: Reading) -> Point:
    """Whether the wall clock went as far as the monotonic one between two readings."""
    jump_s = (after.wall_s - before.wall_s) - (after.monotonic_s - before.monotonic_s)
    watched = duration(after.monotonic_s - before.monotonic_s)
    if abs(jump_s) > _JUMP_S:
        told = f"jumped by {duration(jump_s)} against the monotonic clock within {watched}"
        return Point("clock jumps", "note", told, NEEDED_FOR, "wait until it is set, then: perfdb doctor clock")
    return Point("clock jumps", "ok", f"none within {watched}", NEEDED_FOR)


def _reading() -> Reading:
    """Of several, the one that was least interrupted."""

    def once() -> tuple[float, Reading]:
        begun = time.monotonic()
        wall = time.time()
        ended = time.monotonic()
        return ended - begun, Reading(wall, (begun + ended) / 2)

    return min(once() for _ in range(20))[1]


def _synchronised() -> Point:
    # timedatectl speaks to systemd.
    keep = f"{as_root()}timedatectl set-ntp true" if Path("/run/systemd/system").exists() else system_package("chrony")
    fix = f"{keep}; of a container: on its host"
    try:
        asked: Callable[..., int] = ctypes.CDLL(None, use_errno=True).adjtimex
        timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # no mode set: it only asks
        state = asked(timex)
    except (OSError, AttributeError):
        state = -1
    if state == -1:
        return Point("clock", "note", "the system does not say whether it is kept in step", NEEDED_FOR, fix)
    _, _, _, at_most_us, about_us = struct.unpack_from(_TIMEX, timex)
    if state == _UNSYNCHRONISED:
        return Point("clock", "note", "nobody keeps it in step (adjtimex)", NEEDED_FOR, fix)
    told = f"kept in step, off by at most {duration(at_most_us / 1e6)}, about {duration(about_us / 1e6)}"
    return Point("clock", "ok", told, NEEDED_FOR)


def _resolution() -> Point:
    readings = [time.monotonic_ns() for _ in range(2000)]
    steps = [later - earlier for earlier, later in itertools.pairwise(readings) if later > earlier]
    if not steps:
        fix = "measure longer, or on a machine with a finer clock"
        return Point("clock resolution", "note", "too coarse to be seen in 2000 readings", _DURATIONS, fix)
    step_s = min(steps) / 1e9
    told = f"steps of {duration(step_s)} were seen"
    if step_s > _COARSE_S:
        return Point("clock resolution", "note", told, _DURATIONS, "measure longer, or on a machine with a finer clock")
    return Point("clock resolution", "ok", told, _DURATIONS)
