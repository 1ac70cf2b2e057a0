"""The daemon's sockets: commands by a stream, one JSON object a line; jobs' hints by datagrams."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from perfdb.errors import PerfdbError, UsageError
from perfdb.minislurm.daemon import commands
from perfdb.minislurm.daemon.offered import Offered
from perfdb.minislurm.daemon.scheduler import Scheduler
from perfdb.minislurm.daemon.waiters import Waiters
from perfdb.minislurm.sockets import short

# A command line and an environment have 2 MB at most; JSON may take six bytes for one.
_MOST_BYTES = 16 << 20
# Whoever connects has something to say.
_PATIENCE_S = 10.0
_MOST_HINTS = 64


class Server:
    """Serves commands until it is closed."""

    def __init__(self, scheduler: Scheduler, waiters: Waiters, offered: Offered) -> None:
        self._scheduler = scheduler
        self._waiters = waiters
        self._offered = offered
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def open(self, path: Path) -> None:
        """Listen at `path`, whatever is there: the lock is ours, so nobody else listens.

        Raises:
            OSError: it can't be made.
        """
        self._server = await asyncio.start_unix_server(
            self._serve, sock=_bound(path, socket.SOCK_STREAM), limit=_MOST_BYTES
        )

    async def close(self) -> None:
        """Answer nobody any more."""
        if self._server:
            self._server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._clients.add(task)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                line = await reader.readline()
            if line.endswith(b"\n"):
                await self._answer(line, reader, writer)
        except (TimeoutError, ConnectionError, asyncio.CancelledError):
            pass  # it has gone, or we are going
        except ValueError:
            _write(writer, {"error": f"a command has at most {_MOST_BYTES} bytes"})
        finally:
            self._clients.discard(task)
            writer.close()

    async def _answer(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = commands.parse(line, self._offered)
            if isinstance(asked, commands.Wait):
                await self._wait(asked.ids, reader, writer)
            elif isinstance(asked, commands.Cancel):
                _write(writer, {"outcomes": await self._scheduler.cancel(asked.ids)})
            else:
                ids = await self._scheduler.submit(asked)
                _write(writer, {"first": ids.start, "count": len(ids)})
        except PerfdbError as error:
            _write(writer, {"error": str(error), "is_usage": isinstance(error, UsageError)})
        await writer.drain()

    async def _wait(self, ids: list[int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell of each end until all of them have, or nobody listens."""
        with self._waiters.wait(ids) as ends:
            hung_up = asyncio.ensure_future(reader.read(1))
            try:
                while ends.is_open:
                    following = asyncio.ensure_future(ends.next())
                    await asyncio.wait((hung_up, following), return_when=asyncio.FIRST_COMPLETED)
                    if not following.done():
                        following.cancel()
                        return
                    _write(writer, {"ended": following.result()})
                    await writer.drain()
                _write(writer, {"done": True})
            finally:
                hung_up.cancel()


class Hints:
    """Listens for jobs that have answered."""

    def __init__(self, path: Path, hear: Callable[[int], None]) -> None:
        """Raises: OSError: the socket can't be made."""
        self._hear = hear
        self._socket = _bound(path, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._read)

    def close(self) -> None:
        """Listen no more."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _read(self) -> None:
        # Some at a time: a job that says it without end must not keep us from everybody else.
        for _ in range(_MOST_HINTS):
            try:
                hint: Any = json.loads(self._socket.recv(4096))
                self._hear(int(hint["job"]))
            except BlockingIOError:
                return
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                continue


def _bound(path: Path, kind: socket.SocketKind) -> socket.socket:
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, kind)
    try:
        with short(path) as name:
            bound.bind(name)
        path.chmod(0o600)
    except OSError:
        bound.close()
        raise
    return bound


def _write(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
