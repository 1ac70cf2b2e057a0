"""What the next pass is about."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TypeVar

from perfdb.minislurm.daemon.findings import Undecided
from perfdb.minislurm.request import Request
from perfdb.minislurm.store.ending import Ending
from perfdb.minislurm.store.job import Event

_T = TypeVar("_T")


@dataclass
class Inbox:
    """What has come since the last pass. Nothing is taken out before it is committed."""

    submissions: list[tuple[Request, asyncio.Future[range]]] = field(default_factory=list)
    cancels: list[tuple[list[int], asyncio.Future[dict[int, str]]]] = field(default_factory=list)
    endings: dict[int, tuple[int, Ending | Undecided]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


def answer(asker: asyncio.Future[_T], value: _T) -> None:
    """Whoever asked may be gone."""
    if not asker.done():
        asker.set_result(value)
