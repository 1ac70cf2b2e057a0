"""What an arm's child tells whoever waits for it. Pure."""

from __future__ import annotations

from collections.abc import Callable

from perfdb.families.base import Program
from perfdb.families.elastic.events import Begin, End, JobEvent, Note, Progress, ResizeEvent, read_answer
from perfdb.units import counted, duration

_LONGEST = 300
# The next time after a line until another one: an arm of an hour needs no line a second.
_FIRST_S, _GROWTH = 2.0, 1.5


def progress(_: Program) -> Callable[[str], str | None]:
    """What hears the lines of an arm's child: a line worth telling, else None."""
    return _Heard().hear


class _Heard:
    """What was heard of one arm until now."""

    def __init__(self) -> None:
        self._jobs = 0
        self._arrived: list[int] = []
        self._ended: dict[int, tuple[int, str]] = {}
        self._resizes = 0
        self._next_s = _FIRST_S

    def hear(self, line: str) -> str | None:
        answer = read_answer(line)
        told = None
        if isinstance(answer, Begin):
            self._jobs = answer.jobs
        elif isinstance(answer, JobEvent) and answer.what == "arrived":
            self._arrived.append(answer.ns)
        elif isinstance(answer, JobEvent) and answer.what == "ended":
            self._ended[answer.job] = answer.ns, answer.state
        elif isinstance(answer, ResizeEvent) and answer.what == "decided":
            self._resizes += 1
        elif isinstance(answer, Progress):
            told = self._stand(answer)
        elif isinstance(answer, Note):
            told = answer.text
        elif isinstance(answer, End):
            told = self._outcome(answer)
        return told[:_LONGEST] if told else None

    def _stand(self, answer: Progress) -> str | None:
        if answer.at_s < self._next_s:
            return None
        self._next_s = answer.at_s * _GROWTH
        return (
            f"{answer.at_s:.0f} s, {answer.ended} of {counted(self._jobs, 'job')} over, {answer.running} running on "
            f"{counted(answer.promised, 'CPU')}"
        )

    def _outcome(self, end: End) -> str:
        if end.outcome != "all":
            return f"{end.outcome}{f': {end.trouble}' if end.trouble else ''}"
        other = len([state for _, state in self._ended.values() if state != "COMPLETED"])
        told = f"{counted(len(self._ended), 'job')}, {counted(self._resizes, 'resize')}"
        if self._arrived and self._ended:
            told += f", makespan {duration((max(ns for ns, _ in self._ended.values()) - min(self._arrived)) / 1e9)}"
        return told + (f"; {other} did not complete" if other else "")
