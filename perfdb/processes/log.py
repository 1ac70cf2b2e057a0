"""What a child said and when: one JSON object a line, readable up to the last whole line after any crash.

    {"event": "start", "at": "2026-11-21T02:28:00.1Z"}
    {"event": "line", "t": 1.25, "stream": "stdout", "text": "==== Iteration 1 ====", "cpu": {"main": 0.9, "workers": 0.1}}
    {"event": "exit", "t": 9.5, "code": 0, "reason": "ended", "cpu_s": 12.1}

`t` counts seconds on the supervisor's monotonic clock since it started the child.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Reason = Literal["ended", "timeout", "stopped", "abandoned", "lost"]


@dataclass(frozen=True)
class Line:
    """One line of a child's output. `cpu` is the tree's CPU seconds so far by role, where they were sampled."""

    t: float
    stream: Literal["stdout", "stderr"]
    text: str
    cpu: dict[str, float] | None = None


@dataclass(frozen=True)
class Exit:
    """How a child ended.

    `reason`: `ended` by itself, `timeout`, `stopped` when we were told to stop, `abandoned` when perfdb died,
    `lost` when the supervisor died as well and nobody saw the end.
    """

    t: float
    code: int | None
    reason: Reason
    cpu_s: float = 0.0


@dataclass(frozen=True)
class ChildLog:
    """A child's life. `exit` tells `lost` where the log was cut off."""

    name: str
    started_at: str | None = None
    lines: tuple[Line, ...] = ()
    exit: Exit = field(default_factory=lambda: Exit(0.0, None, "lost"))

    @property
    def stdout(self) -> tuple[Line, ...]:
        """The lines of standard output."""
        return tuple(line for line in self.lines if line.stream == "stdout")

    def last_words(self, count: int = 1) -> str:
        """The last lines that say something, for an error message."""
        spoken = [line.text.strip() for line in self.lines if line.text.strip()]
        return " | ".join(spoken[-count:])


def parse_log(name: str, raw_lines: Iterable[str]) -> ChildLog:
    """The log that those lines tell; a line cut off by a crash ends it."""
    started_at: str | None = None
    lines: list[Line] = []
    exit_: Exit | None = None
    for raw in raw_lines:
        event = parse_event(raw)
        if isinstance(event, Line):
            lines.append(event)
        elif isinstance(event, Exit):
            exit_ = event
        elif isinstance(event, str):
            started_at = event
    if exit_ is None:
        exit_ = Exit(lines[-1].t if lines else 0.0, None, "lost")
    return ChildLog(name, started_at, tuple(lines), exit_)


def read_log(path: Path) -> ChildLog:
    """The log in `path`, named after its file."""
    name = path.name.removesuffix(".jsonl")
    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            return parse_log(name, file)
    except FileNotFoundError:  # its supervisor did not get that far
        return ChildLog(name)


def parse_event(raw: str) -> Line | Exit | str | None:
    """One event: a line, the exit, or the start's instant; None for what is no whole event."""
    try:
        event: dict[str, Any] = json.loads(raw)
        kind = event["event"]
        if kind == "line":
            return Line(float(event["t"]), event["stream"], event["text"], event.get("cpu"))
        if kind == "exit":
            return Exit(float(event["t"]), event["code"], event["reason"], float(event["cpu_s"]))
        return str(event["at"]) if kind == "start" else None
    except (ValueError, KeyError, TypeError):
        return None
