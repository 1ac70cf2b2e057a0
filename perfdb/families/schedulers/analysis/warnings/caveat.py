"""Something that keeps schedulers from being compared, and words for the figures that show it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean

from perfdb.families.schedulers.analysis.case import Case, Row
from perfdb.units import duration


@dataclass(frozen=True)
class Caveat:
    """One of them.

    Attributes:
        name: What is wrong, such as `spliced_arm`.
        of: Whose results, a scheduler or several.
        evidence: In figures.
        runs: In which runs, see `Case.of`.
    """

    name: str
    of: tuple[str, ...]
    evidence: str
    runs: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """For JSON."""
        return {"name": self.name, "of": list(self.of), "runs": list(self.runs), "evidence": self.evidence}


def by_scheduler(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """In order of their names."""
    found: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: (case.scheduler, case.experiment)):
        found.setdefault(case.scheduler, []).append(case)
    return found


def submitted(row: Row) -> float | None:
    """When it was, or began where only that is known, in seconds since 1970."""
    return row.started_s if row.submitted_s is None else row.submitted_s


def seconds(value: float) -> str:
    """To a tenth of a second from 10 s on, so that they can be set against one another."""
    return f"{value:.1f} s" if abs(value) >= 10 else duration(value)


def mean_s(values: Sequence[float]) -> str:
    """Their mean in seconds, in words."""
    return seconds(fmean(values))


def instant(value: float) -> str:
    """Seconds since 1970, on a calendar."""
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S}"
