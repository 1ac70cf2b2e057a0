"""Writing a journal: it exists whole with its claim or not at all, and its end is on the disk before anybody is told."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import Self

RETRY_S = 1.0


class Writing:
    """An attempt's journal, which this process created: so this process runs the attempt."""

    def __init__(self, file: int) -> None:
        self._file = file

    @classmethod
    def claim(cls, path: str, claim: dict[str, object]) -> Self | None:
        """Create it with that claim in it, waiting for room on a full disk.

        Returns:
            None where it exists already: somebody else decided.

        Raises:
            FileNotFoundError: its folder is gone.
        """
        # Under another name first: whoever finds a journal finds the claim in it.
        beside = f"{path}.{os.getpid()}"
        line = _line("claimed", claim)
        while True:
            try:
                file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
                if os.write(file, line) == len(line):
                    os.link(beside, path)
                    return cls(file)
            except FileExistsError:
                return None
            except FileNotFoundError:
                raise
            except OSError as error:
                _complain(path, error)
            finally:
                _unlink(beside)
            time.sleep(RETRY_S)

    def add(self, event: str, fields: dict[str, object]) -> None:
        """One more line, which nobody's decision depends on: on a full disk it is left out."""
        try:
            os.write(self._file, _line(event, fields))
        except OSError as error:
            _complain(event, error)

    def end(self, fields: dict[str, object]) -> None:
        """The last line, and all of it on the disk. Tried once a second for as long as it takes."""
        # The first byte ends a line that a full disk cut off: of `add`, or of our last try.
        line = b"\n" + _line("exit", fields)
        while True:
            try:
                if os.write(self._file, line) == len(line):
                    os.fsync(self._file)
                    return
            except OSError as error:
                _complain("exit", error)
            time.sleep(RETRY_S)


def _line(event: str, fields: dict[str, object]) -> bytes:
    return json.dumps({"event": event} | fields).encode() + b"\n"


def _unlink(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108 # a Path for each job costs more than the call


def _complain(what: str, error: OSError) -> None:
    sys.stderr.write(f"supervisor {os.getpid()}: {what}: {error}; tried again\n")
