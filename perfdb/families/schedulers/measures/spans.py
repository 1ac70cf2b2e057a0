"""Times of one job, in seconds. None where they are not known, or only a lower bound of them is. Pure."""

from __future__ import annotations

from perfdb.families.schedulers.outcome import Outcome

# Shorter jobs count as this long, so that their slowdowns don't dominate.
THRESHOLD_S = 10.0


def is_settled(outcome: Outcome) -> bool:
    """Whether its program came to the end that was planned for it.

    So it is of a job that completed, and of one that ran into a limit which its list put at or before its end. Times of any
    other are not what the job would have taken: it was cut off, or it failed, perhaps at once.
    """
    if outcome.is_censored or outcome.began_s is None or outcome.over_s is None:
        return False
    return outcome.state == "COMPLETED" or (outcome.state == "TIMEOUT" and outcome.work.run_s >= outcome.work.limit_s)


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
    """Its bounded slowdown."""
    turnaround, run = turnaround_s(outcome), run_s(outcome)
    return None if turnaround is None or run is None else bounded_slowdown(turnaround, run)


def bounded_slowdown(turnaround_s: float, run_s: float, threshold_s: float = THRESHOLD_S) -> float:
    """How much longer a job took than it would have alone, at least 1.

    Args:
        turnaround_s: From submission to end, >= 0.
        run_s: From start to end, >= 0.
        threshold_s: Shorter jobs count as this long, > 0.

    Source: Feitelson, Metrics for parallel job scheduling and their convergence, JSSPP 2001.
    """
    return max(1.0, turnaround_s / max(run_s, threshold_s))
