"""The lean server's processes: sockets, workers, the loop of each, and their end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable

from perfdb.services.addresses import Address, check_free, host_url, listening_socket
from perfdb.services.lean.connection import Connection, House
from perfdb.services.lean.options import Options
from perfdb.services.lean.planned import Planned
from perfdb.services.lean.tally import Tally
from perfdb.services.lifeline import die_with_parent
from perfdb.services.limits import file_limit, raise_file_limit
from perfdb.services.usage import usage

_NOTED_S = 0.5
_TICK_S = 0.01
# File descriptors that are not sessions.
_SPARE = 64


def serve(options: Options, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM, SIGINT or, as one of several workers, until the others end.

    Raises:
        ServiceError: the address can't be listened on.
    """
    raise_file_limit()
    check_free(Address(options.host, options.port))  # a port that is to be shared would be shared with strangers, too
    sockets = [listening_socket(options.host, options.port, shared=options.workers > 1) for _ in range(options.workers)]
    tally = Tally(options.workers)
    ready()
    if options.workers == 1:
        _work(options, 0, sockets[0], tally)
        return
    _supervise(options, sockets, tally)


def _supervise(options: Options, sockets: list[socket.socket], tally: Tally) -> None:
    """Fork the workers; end them all when one ends or we are told to."""
    parent = os.getpid()
    ending = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, {*ending, signal.SIGCHLD})
    workers = []
    for number, listening in enumerate(sockets):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                die_with_parent(parent)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {*ending, signal.SIGCHLD})
                _work(options, number, listening, tally)
                code = 0
            finally:
                os._exit(code)
        workers.append(pid)
    for listening in sockets:
        listening.close()
    signal.sigwait({*ending, signal.SIGCHLD})
    for pid in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    for pid in workers:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _work(options: Options, worker: int, listening: socket.socket, tally: Tally) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_Worker(options, worker, listening, tally).run())


class _Worker:
    """One process of the server."""

    def __init__(self, options: Options, worker: int, listening: socket.socket, tally: Tally) -> None:
        self._options = options
        self._listening = listening
        self._tally = tally
        self._seed = f"{options.seed}/{worker}"
        self._begun = time.monotonic()
        tally.mine(worker)

    async def run(self) -> None:
        options = self._options
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        house = House(
            host_url=host_url(options.host, options.port),
            pid=os.getpid(),
            capacity=options.capacity if options.capacity is not None else max(1, file_limit() - _SPARE),
            tally=self._tally,
            delay_s=options.delay_ms / 1000,
            delays=Planned(options.delay_share, f"{self._seed}/delay"),
            refusals=Planned(options.refuse_share, f"{self._seed}/refuse"),
            loop=loop,
            stats=self._stats,
        )
        # As long a backlog as the kernel allows: a burst's connections wait there, not for their next SYN.
        server = await loop.create_server(lambda: Connection(house), sock=self._listening, backlog=65535)
        beside = [loop.create_task(self._note_usage()), loop.create_task(self._tick(loop))]
        try:
            await stop.wait()
        finally:
            for task in beside:
                task.cancel()
            server.close()
            for connection in list(house.connections):
                connection.close()
            await asyncio.sleep(0)

    def _stats(self) -> dict[str, object]:
        self._note()
        options = self._options
        return {
            "host_url": host_url(options.host, options.port),
            "workers": options.workers,
            "uptime_s": round(time.monotonic() - self._begun, 3),
            **self._tally.told(),
        }

    def _note(self) -> None:
        used = usage()
        self._tally.put("cpu_us", round(time.process_time() * 1e6))  # to the microsecond
        self._tally.put("memory_bytes", used.memory_bytes)
        self._tally.put("threads", used.threads)
        self._tally.put("processes", used.processes)

    async def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """See how late the loop gets to what is due."""
        while True:
            due = loop.time() + _TICK_S
            await asyncio.sleep(_TICK_S)
            self._tally.at_least("loop_late_max_us", round((loop.time() - due) * 1e6))

    async def _note_usage(self) -> None:
        """Let the worker that is asked for stats know what this one uses."""
        while self._options.workers > 1:
            self._note()
            await asyncio.sleep(_NOTED_S)
