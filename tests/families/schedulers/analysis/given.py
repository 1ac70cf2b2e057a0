"""Cases with numbers that a reader can check by hand."""

from __future__ import annotations

from perfdb.families.schedulers.analysis.case import SUBMISSION_TO_END, TOTAL, Case, Made, Row

NOON = 1_713_441_600.0


def row(
    submitted: float | None, took: float | None, iteration: int | None = 0, *, wall: float | None = None, batch: int = 0
) -> Row:
    """A job submitted so long after noon, that took so long from then on; not seen to end where that is None."""
    values = {TOTAL: took} if took is not None else {}
    if wall is not None:
        values["wall_time_s"] = wall
    turn = None if iteration is None else (batch, iteration)
    if submitted is None:
        return Row(turn, None, None, None, values, took is None)
    ended = None if took is None else NOON + submitted + took
    return Row(turn, NOON + submitted, NOON + submitted, ended, values, took is None)


def case(
    scheduler: str,
    *rows: Row,
    experiment: str = "size-2",
    made: Made = "imported",
    of: str = "run/logs",
    definition: str = SUBMISSION_TO_END,
    size: int | None = 2,
    record: str = "1" * 16,
    span: tuple[float, float] | None = None,
) -> Case:
    """One scheduler's jobs of one experiment."""
    dated = made == "imported" and any(one.submitted_s is not None for one in rows)
    ended = [one.ended_s for one in rows if one.ended_s is not None]
    if dated and span is None:
        span = min(one.submitted_s for one in rows if one.submitted_s is not None), max(ended, default=NOON)
    return Case(scheduler, experiment, made, definition, of, record, size, rows, span, dated)
