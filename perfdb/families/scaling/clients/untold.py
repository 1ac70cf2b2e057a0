"""What clients that say they did all of their share should have told besides. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from perfdb.families.scaling.clients.answers import (
    Answer,
    Counts,
    End,
    InFlight,
    Names,
    PhaseHistogram,
    Progress,
    Rows,
    SeenAnswer,
)
from perfdb.families.scaling.histogram import Histogram


def untold(answers: Sequence[Answer]) -> tuple[str, ...]:
    """What of it is not there, or contradicts the rest, in words; () where all is well."""
    told: dict[int, list[Answer]] = {}
    for answer in answers:
        if not isinstance(answer, SeenAnswer):
            told.setdefault(answer.client, []).append(answer)
    return tuple(f"client {client}: {words}" for client, mine in sorted(told.items()) for words in _untold(mine))


def _untold(mine: Sequence[Answer]) -> Iterator[str]:
    end = next((one for one in mine if isinstance(one, End)), None)
    if end is None or end.outcome != "all":
        return
    came = Counter(str(one.kind) for one in mine if not isinstance(one, Progress | End))
    yield from (
        f"{came[kind]} of {end.given.get(kind, 0)} answers of the kind {kind!r} came"
        for kind in sorted(came.keys() | end.given.keys())
        if came[kind] != end.given.get(kind, 0)
    )
    counts = {one.window: one.outcomes for one in mine if isinstance(one, Counts)}
    names = next((one for one in mine if isinstance(one, Names)), None)
    if names is None or counts.keys() != {"steady", "all"}:
        yield "what it counted did not come"
        return
    yield from _uncounted(mine, counts["steady"].get("ok", 0), sum(counts["steady"].values()))
    rows = sum(len(one.rows) for one in mine if isinstance(one, Rows))
    if rows != names.rows:
        yield f"{rows} of {names.rows} sessions' rows came"
    every = sum(counts["all"].values())
    if names.rows + names.left_out != every:
        yield f"{names.rows} sessions have rows and {names.left_out} have none, where {every} were counted"
    left: Counter[str] = Counter()
    for one in mine:
        if isinstance(one, InFlight):
            left[one.what] += sum(change for _, change in one.changes)
    yield from (f"{count} of the {what} under way never ended" for what, count in left.items() if count)


def _uncounted(mine: Sequence[Answer], ok: int, every: int) -> Iterator[str]:
    """Sessions of the steady window, of which each has its total, and each phase at most as many."""
    timed: Counter[tuple[str, str]] = Counter()
    for one in mine:
        if isinstance(one, PhaseHistogram):
            timed[one.phase, one.outcome] += Histogram.decode(one.encoded).total
    for outcome, due in (("ok", ok), ("failed", every - ok)):
        for phase in sorted({"total", *(phase for phase, _ in timed)}):
            count = timed[phase, outcome]
            if count > due or (phase == "total" and count < due):
                yield f"{count} sessions that ended {outcome!r} have the time {phase!r}, where {due} were counted"
