"""Times of one job, in seconds. None where they are not known, or only a lower bound of them is. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from perfdb.families.schedulers.outcome import Outcome

# Shorter jobs count as this long, so that their slowdowns don't dominate.
THRESHOLD_S = 10.0


def is_settled(outcome: Outcome) -> bool:
    """Whether its program came to the end that was planned for it, and when is known.

    Times of any other are not what the job would have taken: it was cut off, or it failed, perhaps at once.
    """
    return is_as_planned(outcome) and outcome.began_s is not None and outcome.over_s is not None


def is_as_planned(outcome: Outcome) -> bool:
    """Whether it completed, or ran into a limit that its list put at or before its end."""
    if outcome.is_censored:
        return False
    return outcome.state == "COMPLETED" or (outcome.state == "TIMEOUT" and outcome.work.run_s >= outcome.work.limit_s)


def stamps_off(outcome: Outcome, uncertainty_s: float = 0.0) -> float:
    """How far its stamps contradict each other, in seconds, >= 0.

    What its scheduler says must be in order, and so must what it says itself, all of it between when it was given its nodes and
    when it gave them back, as well as that is known.

    Args:
        uncertainty_s: How well it is known how far the scheduler's clock is ahead of the job's, >= 0.
    """
    submitted_s, allocated_s, started_s = outcome.submitted_s, outcome.allocated_s, outcome.started_s
    ended_s, released_s = outcome.ended_s, outcome.released_s
    began_s, over_s = outcome.inside_began_s, outcome.inside_ended_s
    off_s = max(
        _back_s((submitted_s, allocated_s, started_s, ended_s, released_s)),
        _back_s((submitted_s, outcome.eligible_s, started_s)),
        _back_s((began_s, over_s)),
    )
    if began_s is None and over_s is None:
        return off_s
    since_s = submitted_s if allocated_s is None else allocated_s
    until_s = ended_s if released_s is None else released_s
    outside_s = max(_back_s((since_s, began_s, until_s)), _back_s((since_s, over_s, until_s)))
    return max(off_s, outside_s - uncertainty_s)


def _back_s(instants: Iterable[float | None]) -> float:
    """How far the earliest one that is known is before any that is named before it."""
    latest_s, back_s = -math.inf, 0.0
    for at_s in instants:
        if at_s is None:
            continue
        if at_s >= latest_s:
            latest_s = at_s
        elif latest_s - at_s > back_s:
            back_s = latest_s - at_s
    return back_s


def wait_s(outcome: Outcome) -> float | None:
    """From submission until its program began; also of a job that was cut off later.

    Two clocks may tell of them, so that one which began at once seems to have begun before: 0 then.
    """
    if outcome.submitted_s is None or outcome.began_s is None:
        return None
    return max(0.0, outcome.began_s - outcome.submitted_s)


def run_s(outcome: Outcome) -> float | None:
    """How long its program ran."""
    if not is_settled(outcome) or outcome.began_s is None or outcome.over_s is None:
        return None
    return max(0.0, outcome.over_s - outcome.began_s)


def turnaround_s(outcome: Outcome) -> float | None:
    """From submission to the end of its program, by the job's own stamp where it has one."""
    if not is_settled(outcome) or outcome.submitted_s is None or outcome.over_s is None:
        return None
    return max(0.0, outcome.over_s - outcome.submitted_s)


def total_time_s(outcome: Outcome) -> float | None:
    """From submission to the end of its program, both as the scheduler has them, so on one clock."""
    if not is_settled(outcome) or outcome.submitted_s is None or outcome.ended_s is None:
        return None
    return max(0.0, outcome.ended_s - outcome.submitted_s)


def slowdown_of(outcome: Outcome) -> float | None:
    """Its bounded slowdown, dimensionless; None where its times are not known."""
    turnaround, run = turnaround_s(outcome), run_s(outcome)
    return None if turnaround is None or run is None else bounded_slowdown(turnaround, run)


def bounded_slowdown(turnaround_s: float, run_s: float, threshold_s: float = THRESHOLD_S) -> float:
    """How much longer a job took than it would have alone, at least 1.

    Args:
        turnaround_s: Seconds from submission to end, >= 0.
        run_s: Seconds from start to end, >= 0.
        threshold_s: Shorter jobs count as this long, > 0.

    Returns:
        Dimensionless, >= 1.

    Source: Feitelson, Metrics for parallel job scheduling and their convergence, JSSPP 2001.
    """
    return max(1.0, turnaround_s / max(run_s, threshold_s))
