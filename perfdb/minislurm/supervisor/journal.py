"""What became of one attempt of a job: one JSON object a line, readable up to the last whole line after any crash.

    {"event": "claimed", "pid": 812, "ticks": 88120, "boot": "...", "ns": 5120..., "at": 1704110400.5}
    {"event": "started", "pid": 813, "ticks": 88121, "ns": 5121..., "at": 1704110400.5}
    {"event": "exit", "why": "exited", "code": 0, "signal": null, "ns": 5125..., "at": 1704110403.1, "cpu_s": 0.4, "peak_kb": 9120, "ended": 0}

`ns` is CLOCK_MONOTONIC, `at` the wall clock; `ticks` tells a process from another that got its number later. A journal that
a daemon created to keep an attempt from running holds {"event": "fenced"}.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

_NUMBERS = 2**63  # what the store holds are smaller
# `exited` by itself, by a signal too; `unstarted`: what it names could not be run.
Why = Literal["exited", "cancelled", "timeout", "out_of_memory", "unstarted"]


@dataclass(frozen=True)
class Claim:
    """The supervisor that runs this attempt."""

    pid: int
    ticks: int
    boot: str
    ns: int
    at: float


@dataclass(frozen=True)
class Started:
    """The job's own first process."""

    pid: int
    ticks: int
    ns: int
    at: float


@dataclass(frozen=True)
class Exit:
    """How it ended.

    Attributes:
        code: Its exit code, None where a signal ended it.
        signal: That signal's number, or None.
        cpu_s: CPU seconds of all its processes.
        peak_kb: The most memory it had, in units of 1024 bytes; 0 where that is not known.
        ended: How many processes it had left behind, which were ended.
        detail: For people: why it could not be run.
    """

    why: Why
    code: int | None
    signal: int | None
    ns: int
    at: float
    cpu_s: float = 0.0
    peak_kb: int = 0
    ended: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Journal:
    """All that one says. Nothing but `is_fenced` where it was created to keep the attempt from running."""

    claim: Claim | None = None
    started: Started | None = None
    exit: Exit | None = None
    is_fenced: bool = False


_Event = TypeVar("_Event", Claim, Started, Exit)
_KINDS = {"int": (int,), "int | None": (int, type(None)), "float": (int, float), "str": (str,), "Why": (str,)}


def parse(lines: Iterable[str]) -> Journal:
    """What those lines tell; a line that is cut off or says something else is as good as none."""
    claim: Claim | None = None
    started: Started | None = None
    exit_: Exit | None = None
    is_fenced = False
    for line in lines:
        try:
            event: dict[str, Any] = json.loads(line)
            kind = event.pop("event")
            if kind == "claimed":
                claim = _sound(Claim(**event))
            elif kind == "started":
                started = _sound(Started(**event))
            elif kind == "exit" and event["why"] in get_args(Why):
                exit_ = _sound(Exit(**event))
            elif kind == "fenced":
                is_fenced = True
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return Journal(claim, started, exit_, is_fenced)


def read(path: Path) -> Journal | None:
    """The journal in `path`, None where there is no such file; what is no file, a pipe or a folder, says nothing."""
    try:
        # Not to wait for whoever writes, should there be a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return Journal()
    with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
        return parse(file)


def _sound(event: _Event) -> _Event:
    """Itself. A job may write into its journal, too: raises TypeError where a field holds what it can't."""
    for name, kind in type(event).__annotations__.items():
        value = getattr(event, name)
        if type(value) not in _KINDS[kind] or (type(value) in (int, float) and not -_NUMBERS < value < _NUMBERS):
            raise TypeError(f"{name} is {value!r}")
    return event
