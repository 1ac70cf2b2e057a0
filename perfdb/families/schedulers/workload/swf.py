"""The Standard Workload Format: a line a job, 18 fields, comments behind `;`. Pure.

A field is kept as it is written, so that what was read is written again exactly; -1 stands for what nobody knows.

Source: D. Feitelson, the Standard Workload Format, version 2.2, of the Parallel Workloads Archive; S. Chapin et al.,
Benchmarks and Standards for the Evaluation of Parallel Job Schedulers, JSSPP 1999.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from perfdb.errors import UsageError

FIELDS = (
    "job_number",
    "submit_time",
    "wait_time",
    "run_time",
    "allocated_processors",
    "average_cpu_time",
    "used_memory",
    "requested_processors",
    "requested_time",
    "requested_memory",
    "status",
    "user_id",
    "group_id",
    "executable_number",
    "queue_number",
    "partition_number",
    "preceding_job_number",
    "think_time",
)
UNKNOWN = "-1"
MOST_LINES = 1_100_000
_HEADER = re.compile(r"^;\s*(?P<name>[A-Za-z]{1,40}):\s*(?P<value>.*)$")
_NUMBER = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,12})?|\.[0-9]{1,12})")
_LONGEST_LINE = 4000


@dataclass(frozen=True, slots=True)
class SwfJob:
    """One line: 18 numbers as they are written. `line`: its number in the file, 0 where it is in none."""

    fields: tuple[str, ...]
    line: int = field(default=0, compare=False)

    def number(self, name: str) -> float:
        """A field's value; -1 where nobody knows."""
        return float(self.fields[_PLACES[name]])

    def known(self, name: str) -> float | None:
        """A field's value, or None."""
        value = self.number(name)
        return None if value < 0 else value


@dataclass(frozen=True)
class Swf:
    """A trace.

    Attributes:
        comments: Its comment lines with their `;`, in order. They are written before the jobs.
        jobs: Its lines, in order.
    """

    comments: tuple[str, ...]
    jobs: tuple[SwfJob, ...]

    def header(self, name: str) -> str | None:
        """What the comment of that name says, such as `MaxProcs`; None where there is none."""
        told = (match for line in self.comments if (match := _HEADER.match(line)))
        return next((match["value"].strip() for match in told if match["name"].lower() == name.lower()), None)


def read_swf(text: str, name: str) -> Swf:
    """A trace from a file's text.

    Args:
        name: What to call the file in an error.

    Raises:
        UsageError: a line is no job; says which.
    """
    comments: list[str] = []
    jobs: list[SwfJob] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if number > MOST_LINES:
            raise UsageError(f"{name} has more than {MOST_LINES:,} lines. Cut it: `head -n 100000 {name} > part.swf`.")
        if line.lstrip().startswith(";"):
            comments.append(line.strip())
        elif line.strip():
            jobs.append(_job(line, name, number))
    return Swf(tuple(comments), tuple(jobs))


def write_swf(trace: Swf) -> str:
    """The file's text: comments, then a line a job, its fields with a blank between them."""
    return "".join(f"{line}\n" for line in _lines(trace))


def swf_job(**known: float | int) -> SwfJob:
    """A line with these fields, by their names in FIELDS; nobody knows the others."""
    return SwfJob(tuple(_text(known[name]) if name in known else UNKNOWN for name in FIELDS))


def _lines(trace: Swf) -> Iterator[str]:
    yield from trace.comments
    for job in trace.jobs:
        yield " ".join(job.fields)


def _job(line: str, name: str, number: int) -> SwfJob:
    fields = tuple(line[:_LONGEST_LINE].split())
    if len(fields) != len(FIELDS):
        raise UsageError(
            f"{name}, line {number}, has {len(fields)} fields, and a job in the Standard Workload Format has {len(FIELDS)}. Mend that "
            "line, or put a ; before it."
        )
    if wrong := _not_numbers(fields):
        place, word = wrong
        raise UsageError(
            f"{name}, line {number}: field {place + 1} ({FIELDS[place]}) is {word[:80]!r}, which is no number of at most 18 digits. Mend that line, or "
            "put a ; before it."
        )
    return SwfJob(fields, number)


def _not_numbers(fields: Iterable[str]) -> tuple[int, str] | None:
    return next(((place, word) for place, word in enumerate(fields) if not _NUMBER.fullmatch(word)), None)


def _text(value: float) -> str:
    """Whole numbers without a point, as nearly every reader of the format wants them; others to a microsecond."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


_PLACES = {name: place for place, name in enumerate(FIELDS)}
