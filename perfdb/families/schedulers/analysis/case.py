"""What one scheduler did with one experiment's jobs, whoever measured it: what tables and warnings are made of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Made = Literal["measured", "simulated", "imported"]
TOTAL = "total_time_s"
# What `total_time_s` is of; only those of one definition go into one number.
SUBMISSION_TO_END = "submission to end"
RUNNING_TO_END = "first seen running to end"
START_TO_END = "start to end, and what start is nobody says"


@dataclass(frozen=True)
class Row:
    """One job.

    Attributes:
        turn: Its batch and iteration; None where nobody knows.
        submitted_s, started_s, ended_s: Seconds since 1970 where the case is dated, since its arm's begin where not.
        values: What was measured of it, by name, such as `total_time_s`; what is not known is not in it.
        is_censored: Whether nobody saw its end.
        watched_s: Of one that was not over when watching ended: how long that was since its submission, in seconds, >= 0.
    """

    turn: tuple[int, int] | None
    submitted_s: float | None
    started_s: float | None
    ended_s: float | None
    values: Mapping[str, float]
    is_censored: bool = False
    watched_s: float | None = None

    @property
    def submission_to_end_s(self) -> float | None:
        """None where it is not known."""
        return None if self.submitted_s is None or self.ended_s is None else self.ended_s - self.submitted_s


@dataclass(frozen=True)
class Case:
    """The jobs of one scheduler and experiment in one record.

    Attributes:
        definition: What `total_time_s` is there.
        of: What was run, in words: cases that are alike in it are of one run, or of runs that are alike in all else.
        record: The record's id.
        size: How many nodes each job asks for; None where nobody knows.
        span: When the record began and ended, in seconds since 1970; None where nobody knows.
        is_dated: Whether its rows' instants are those of a calendar.
    """

    scheduler: str
    experiment: str
    made: Made
    definition: str
    of: str
    record: str
    size: int | None
    rows: tuple[Row, ...]
    span: tuple[float, float] | None
    is_dated: bool

    def values(self, name: str) -> list[float]:
        """Of the jobs that have one."""
        return [row.values[name] for row in self.rows if name in row.values]
