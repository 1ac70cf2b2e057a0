"""How perfdb speaks while it works: on standard error, one moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from perfdb.units import duration


class Voice:
    """Tells what goes on. See `perfdb.runner.lab.Observer`."""

    def __init__(self) -> None:
        self._moving = sys.stderr.isatty()
        self._begun = time.monotonic()
        self._last: tuple[str, str] = ("", "")
        # Once a second is enough to look alive, and costs the measurement nothing.
        self.tick_s = 1.0 if self._moving else None

    def say(self, text: str) -> None:
        """A step that is worth a line."""
        self._clear()
        print(printable(text), file=sys.stderr, flush=True)

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
            print(f"[{duration(time.monotonic() - self._begun)}] {child}: {text}", file=sys.stderr, flush=True)

    def tick(self) -> None:
        """A second has passed."""
        if self._moving:
            child, text = self._last
            line = f"{child}: {text}  [{duration(int(time.monotonic() - self._begun))}]"
            print(f"\r\x1b[K{line[:120]}", end="", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._moving:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    done = _clear


def printable(text: str) -> str:
    """What strangers' text must become before a terminal sees it."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False))
