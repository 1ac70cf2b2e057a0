"""The writing end of a child's log, see `perfdb.processes.log`."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
from typing import Any

LONGEST_LOG = 16 * 1024 * 1024


class EventLog:
    """Where the events go: to the log, which outlives us all, and to perfdb while it listens."""

    def __init__(self, path: str, ballast: str | None) -> None:
        self._ballast = ballast
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115, PTH123 (open for as long as we live)
        self._written = 0
        self._torn = False
        self._listener = True

    def write(self, event: dict[str, Any], *, durable: bool = False) -> None:
        """Add an event. `durable`: it is on the disk when this returns. A full disk or a gone listener raises nothing."""
        data = json.dumps(event, ensure_ascii=True).encode() + b"\n"
        if event["event"] == "line" and self._written + len(data) > LONGEST_LOG:
            return
        self._written += len(data)
        if self._listener:
            try:
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            except OSError:
                self._listener = False
                # What is left in the buffer goes nowhere, and without a word at our own end.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        with contextlib.suppress(OSError):  # a full disk costs the log its end, never the measurement
            self._append(data)
            if durable:
                os.fsync(self._file.fileno())

    def _append(self, data: bytes) -> None:
        if self._torn:
            data = b"\n" + data  # ends the line that the full disk cut off
        try:
            self._write_all(data)
        except OSError:
            self._torn = True
            raise
        self._torn = False

    def _write_all(self, data: bytes) -> None:
        written = 0
        while written < len(data):
            try:
                written += self._file.write(data[written:])
            except OSError as error:
                if error.errno != errno.ENOSPC or self._ballast is None:
                    raise
                os.unlink(self._ballast)  # noqa: PTH108 (room that was kept for this moment)
                self._ballast = None
