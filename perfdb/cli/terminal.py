"""How perfdb speaks while it works: on standard error, one moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from perfdb.errors import PerfdbError
from perfdb.units import duration


class Voice:
    """Tells what goes on. See `perfdb.runner.lab.Observer`."""

    def __init__(self) -> None:
        self._moving = sys.stderr is not None and sys.stderr.isatty()
        self._begun = time.monotonic()
        self._last: tuple[str, str] = ("", "")
        # Once a second is enough to look alive, and costs the measurement nothing.
        self.tick_s = 1.0 if self._moving else None

    def say(self, text: str) -> None:
        """A step that is worth a line."""
        self._clear()
        _tell(f"{printable(text)}\n")

    def warn(self, text: str) -> None:
        """Something that the user should know, and that changes no number."""
        self.say(f"warning: {text}")

    def progress(self, child: str, text: str) -> None:
        """What a child just told."""
        if self._moving:
            # A round's details go with its number.
            same = self._last[0] == child and self._last[1].startswith("iteration") and not text.startswith("iteration")
            self._last = (child, f"{self._last[1]}, {text}" if same else text)
            self.tick()
        else:
            _tell(f"[{duration(time.monotonic() - self._begun)}] {child}: {text}\n")

    def counting(self, child: str, noun: str) -> Callable[[int], None]:
        """Hears how many are done, and tells it once a second."""
        told = time.monotonic()

        def on_progress(done: int) -> None:
            nonlocal told
            if time.monotonic() - told > 1:
                told = time.monotonic()
                self.progress(child, f"{done:,} {noun}")

        return on_progress

    def tick(self) -> None:
        """A second has passed."""
        if self._moving:
            child, text = self._last
            since = f"  [{duration(int(time.monotonic() - self._begun))}]"
            # A line that wraps would stay, and be told again at each redraw.
            told = printable(f"{child}: {text}" if text else "").replace("\n", " ")[: _width() - len(since)]
            _tell(f"\r\x1b[K{told}{since}")

    def _clear(self) -> None:
        if self._moving:
            _tell("\r\x1b[K")

    done = _clear


def _width() -> int:
    """Columns of the terminal that a line may fill."""
    try:
        return max(20, min(120, (os.get_terminal_size(2).columns or 121) - 1))
    except OSError:
        return 120


def _tell(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # a terminal that closed, or a `head` that has seen enough, is no reason to stop measuring
        silence(2)


@contextmanager
def delivering(record_id: str, *, as_json: bool) -> Iterator[None]:
    """Print, within this, what a run gave: its record is kept by now, whatever becomes of the words.

    A terminal that closed, or a reader that has seen enough, changes nothing; a document that did not arrive is an error.

    Raises:
        PerfdbError: it could not be printed.
    """
    why = "standard output is closed" if as_json and sys.stdout is None else None
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except SystemExit:  # how rich tells of a reader that has left, once it silenced the output
        pass
    except OSError as error:
        silence(1)
        if as_json or error.errno not in (errno.EPIPE, errno.EIO):
            why = os.strerror(error.errno or errno.EIO).lower()
    if why is not None:
        raise PerfdbError(
            f"the record is kept as {record_id}; it could not be printed: {why}. `perfdb show {record_id}` shows it."
        )


def silence(descriptor: int) -> None:
    """Have what is still to be written there go nowhere, without an error when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def printable(text: str) -> str:
    """What strangers' text must become before a terminal sees it."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False))
