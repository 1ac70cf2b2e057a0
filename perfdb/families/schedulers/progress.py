"""What an arm's child tells whoever waits for it. Pure."""

from __future__ import annotations

from collections.abc import Callable

from perfdb.families.base import Program
from perfdb.families.schedulers.events import Begin, End, JobTold, Note, Progress, read_answers
from perfdb.families.schedulers.samples import NOT_OVER
from perfdb.processes.log import Line
from perfdb.units import counted, duration

_LONGEST = 300
# The next time after a line until another one: an arm of an hour needs no line a second.
_FIRST_S, _GROWTH = 2.0, 1.5


def progress(_: Program) -> Callable[[str], str | None]:
    """What hears the lines of a child: a line worth telling, else None."""
    return _Heard().hear


class _Heard:
    """What was heard of one arm until now."""

    def __init__(self) -> None:
        self._jobs = 0
        self._submitted_ns: list[int] = []
        self._ended_ns: list[int] = []
        self._cut_off = self._other = 0
        self._next_s = _FIRST_S

    def hear(self, line: str) -> str | None:
        told = None
        for answer in read_answers((Line(0.0, "stdout", line),)):
            if isinstance(answer, Begin):
                self._jobs = answer.jobs
            elif isinstance(answer, JobTold):
                self._count(answer)
            elif isinstance(answer, Progress):
                told = self._stand(answer)
            elif isinstance(answer, Note):
                told = answer.text
            elif isinstance(answer, End):
                told = self._outcome(answer)
        return told[:_LONGEST] if told else None

    def _count(self, job: JobTold) -> None:
        if job.submitted is not None:
            self._submitted_ns.append(job.submitted)
        if job.ended is None or job.state in NOT_OVER:
            self._cut_off += 1
        else:
            self._ended_ns.append(job.ended)
            self._other += job.state != "COMPLETED"

    def _stand(self, answer: Progress) -> str | None:
        if answer.at_s < self._next_s:
            return None
        self._next_s = answer.at_s * _GROWTH
        return f"{answer.at_s:.0f} s, {answer.ended} of {counted(self._jobs, 'job')} over, {answer.running} running"

    def _outcome(self, end: End) -> str:
        told = f"{counted(len(self._ended_ns), 'job')} over"
        if self._submitted_ns and self._ended_ns and not self._cut_off:
            told += f", makespan {duration((max(self._ended_ns) - min(self._submitted_ns)) / 1e9)}"
        told += f", {self._other} not completed" if self._other else ""
        told += f", {self._cut_off} not over" if self._cut_off else ""
        return told if end.outcome == "all" else f"{end.outcome}: {end.trouble or told}"
