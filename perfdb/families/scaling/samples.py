"""Loads as one long table of counts: how many sessions took how long, ended how, and who answered them. Pure.

| column | |
|---|---|
| `repetition` | from 1 |
| `try` | of a load that was tried again in one repetition, from 1 |
| `wait_s` | what each step was asked to wait, seconds |
| `load` | sessions at once, or arrivals a second |
| `quantity` | see below |
| `word` | which of them |
| `value_s` | seconds, to three digits |
| `count` | how many |

`connect`, `reset`, `step`, `close`, `total`: sessions whose phase took so long; `word`: `ok`, or `failed` up to the failure.
`outcome`: sessions that ended as `word` says. `host`: sessions that the host `word` answered. `wall`: the load's duration.
`peak_sessions`, `peak_steps`: the most that were under way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from perfdb.families.scaling.merge import Load

COLUMNS = ("repetition", "try", "wait_s", "load", "quantity", "word", "value_s", "count")
_US = 1e6


@dataclass(frozen=True)
class Tried:
    """One load, tried once."""

    repetition: int
    number: int
    wait_s: float
    load: int
    found: Load


def columns(tried: Sequence[Tried]) -> dict[str, list[object]]:
    """The samples; {} where nothing was found."""
    rows = [(t.repetition, t.number, t.wait_s, t.load, *row) for t in tried for row in _rows(t.found)]
    return {name: list(values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)} if rows else {}


def _rows(found: Load) -> Iterator[tuple[str, str, float | None, int]]:
    if not found.loads:
        return
    yield "wall", "", max(load.wall_s for load in found.loads.values()), 1
    yield "peak_sessions", "", None, found.sessions.peak
    yield "peak_steps", "", None, found.steps.peak
    yield from (("outcome", outcome, None, count) for outcome, count in found.steady.items())
    yield from (("host", host, None, count) for host, count in sorted(found.by_host.items()))
    for phase, latency in found.latencies.items():
        for word, histogram in (("ok", latency.ok), ("failed", latency.failed)):
            yield from ((phase, word, value / _US, count) for value, count in histogram.steps())


def read(
    samples: Mapping[str, Sequence[object]],
) -> dict[tuple[int, float, int, int], dict[tuple[str, str], list[tuple[float, int]]]]:
    """What the samples say: by repetition, wait, load and try, then by quantity and word: values with their counts.

    Raises:
        KeyError: a column is not there.
        ValueError: a row is none that a run could have.
    """
    found: dict[tuple[int, float, int, int], dict[tuple[str, str], list[tuple[float, int]]]] = {}
    for repetition, number, wait_s, load, quantity, word, value, count in zip(
        *(samples[c] for c in COLUMNS), strict=True
    ):
        whole = (repetition, number, load, count)
        if not all(type(one) is int and 0 <= one <= 10**9 for one in whole) or min(repetition, number, load) < 1:
            raise ValueError("a row of no repetition, load or count")
        if (
            not isinstance(wait_s, float)
            or not 0 <= wait_s <= 86_400
            or not (isinstance(quantity, str) and isinstance(word, str))
        ):
            raise ValueError("a row of no wait or quantity")
        if value is not None and not (isinstance(value, float) and 0 <= value <= 1e6):
            raise ValueError(f"{quantity} is no time")
        key = (repetition, wait_s, load, number)
        found.setdefault(key, {}).setdefault((quantity, word), []).append((0.0 if value is None else value, count))
    return found
