"""What jobs say of their resizes. A file that the job writes may hold anything."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOST_BYTES = 4096


@dataclass(frozen=True)
class Answer:
    """A job registered with this, and said so much.

    Attributes:
        pid: Of the process that takes SIGUSR1; `ticks` is its start.
        acknowledged: (generation, CLOCK_MONOTONIC ns): it heard of that resize; None before the first.
        applied: Likewise: it is done with it.
        cost: What that one has cost, as the job counts: generation, units of work lost, worker nanoseconds that had gone into
            them, worker nanoseconds paused; None where it does not say.
    """

    pid: int
    ticks: int
    acknowledged: tuple[int, int] | None
    applied: tuple[int, int] | None
    cost: tuple[int, int, int, int] | None = None


def read(path: Path) -> Answer | None:
    """The answer in `path`, None where there is none, or none that makes sense."""
    try:
        # Not to wait for whoever writes, should there be a pipe.
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                return None
            found = json.loads(os.read(file, _MOST_BYTES))
        finally:
            os.close(file)
        cost = found.get("cost")
        return Answer(
            pid=_whole(found["pid"]),
            ticks=_whole(found["ticks"]),
            acknowledged=_said(found["acknowledged"]),
            applied=_said(found["applied"]),
            cost=None if cost is None else _cost(cost),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _said(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    generation, ns = value
    return _whole(generation), _whole(ns)


def _cost(value: Any) -> tuple[int, int, int, int]:
    generation, units, lost_ns, paused_ns = value
    return _whole(generation), _whole(units), _whole(lost_ns), _whole(paused_ns)


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(value)
    return value
