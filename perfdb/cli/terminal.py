"""How perfdb speaks while it works: on standard error, one moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

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
            same = self._last[0] == child and not text.startswith("iteration")
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
            line = f"{child}: {text}  [{duration(int(time.monotonic() - self._begun))}]"
            _tell(f"\r\x1b[K{line[:120]}")

    def _clear(self) -> None:
        if self._moving:
            _tell("\r\x1b[K")

    done = _clear


def _tell(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:  # a terminal that closed, or a `head` that has seen enough, is no reason to stop measuring
        silence(2)


def silence(descriptor: int) -> None:
    """Have what is still to be written there go nowhere, without an error when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def printable(text: str) -> str:
    """What strangers' text must become before a terminal sees it."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False))
