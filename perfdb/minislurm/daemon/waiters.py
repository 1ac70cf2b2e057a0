"""Who waits for the end of jobs."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from perfdb.minislurm.states import State
from perfdb.minislurm.store.ending import Ending


class Ends:
    """The ends that one of them waits for, in the order in which they come."""

    def __init__(self, ids: Iterable[int]) -> None:
        self.open_ids = set(ids)
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @property
    def is_open(self) -> bool:
        """Whether there is, or will be, more to tell."""
        return bool(self.open_ids) or not self._told.empty()

    def put(self, ended: dict[str, Any]) -> None:
        """One of its jobs has ended."""
        self.open_ids.discard(ended["id"])
        self._told.put_nowait(ended)

    async def next(self) -> dict[str, Any]:
        """The fields of client.Ended."""
        return await self._told.get()


class Waiters:
    """All of them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: defaultdict[int, list[Ends]] = defaultdict(list)

    @contextlib.contextmanager
    def wait(self, ids: Iterable[int]) -> Iterator[Ends]:
        """Those that have ended before come first; ids that there are not are left out."""
        ends = Ends(())
        for id in dict.fromkeys(ids):
            row = self._connection.execute(
                "SELECT state, exit_code, signal, reason FROM jobs WHERE id = ?", (id,)
            ).fetchone()
            if row is None:
                continue
            if State(row[0]).is_final:
                ends.put({"id": id, "state": row[0], "exit_code": row[1], "signal": row[2], "reason": row[3]})
            else:
                ends.open_ids.add(id)
                self._waiting[id].append(ends)
        try:
            yield ends
        finally:
            for id in ends.open_ids:
                self._waiting[id].remove(ends)
                if not self._waiting[id]:
                    del self._waiting[id]

    def tell(self, id: int, ending: Ending) -> None:
        """That job has ended, and it is on disk."""
        for ends in self._waiting.pop(id, ()):
            ends.put(
                {
                    "id": id,
                    "state": ending.state.value,
                    "exit_code": ending.exit_code,
                    "signal": ending.signal,
                    "reason": ending.reason,
                }
            )
