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
`outcome`: sessions that ended as `word` says. `close_failed`: of those that succeeded, sessions whose close went wrong after that.
`host`: sessions that the host `word` answered. `wall`: the load's duration. `steady`: how long its steady part was, with shape
`open` or `closed`; then phases and outcomes are of the sessions scheduled in it. `peak_sessions`, `peak_steps`: the most that
were under way. `criterion`: when the load is borne: `least_success`, `p99_factor`, and `p99_slack_s`, whose product with the
factor the phase `judged` stays below. `per_s`: the load is arrivals a second. `spoiled`: why the load says nothing of the service:
`incomplete`, `client` (it was saturated), `hosts` (too few), `fault` (there was one).

What was seen of the service, as far as it was. Servers go by pseudonyms. `watched`: seconds over which servers were looked at;
`backend_cpu`, `balancer_cpu`: CPU seconds that the server `word` used meanwhile; `backend_memory`, `balancer_memory`: the most
KiB that its processes had; `backend_threads`, `balancer_threads`: their most threads. `passed`: requests that the balancer
sent to the backend `word`. `backends`: `known` to the balancer, and the fewest that were `healthy`. `balancer`: by how much its
counters grew: `ejections`, `overflow_503`, `none_healthy_503`, `panics`, `health_failures`, `health_refusals`,
`membership_changes`.

Of a fault: `fault`: when it was, since the load's beginning; `fault_cost`: `eject`, `recover` and `readmit`, how long after it;
`fault_lost`: sessions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from perfdb.families.scaling.analysis.cells import Criterion, LoadUnit
from perfdb.families.scaling.clients.merge import OUTCOMES, PHASES, ROLES, Load
from perfdb.families.scaling.plan import MOST_SESSIONS
from perfdb.families.scaling.servers.fault import cost_of

COLUMNS = ("repetition", "try", "wait_s", "load", "quantity", "word", "value_s", "count")
_US = 1e6
KIB = 1024


@dataclass(frozen=True)
class Judge:
    """What a load is judged by. `steady_s`: how long its steady part was; None where all of it counts."""

    criterion: Criterion
    phase: str
    unit: LoadUnit
    steady_s: float | None


@dataclass(frozen=True)
class Tried:
    """One load, tried once.

    Attributes:
        judge: What it is judged by; None where nobody does.
        spoiled: Why it says nothing of the service.
        last_words: What its child said last on standard error.
    """

    repetition: int
    number: int
    wait_s: float
    load: int
    found: Load
    judge: Judge | None = None
    spoiled: tuple[str, ...] = ()
    last_words: str = ""

    @property
    def steady_s(self) -> float | None:
        """How long its steady part was; None where all of it counts."""
        return None if self.judge is None else self.judge.steady_s


def columns(tried: Sequence[Tried]) -> dict[str, list[object]]:
    """The samples; {} where nothing was found."""
    rows = [(t.repetition, t.number, t.wait_s, t.load, *row) for t in tried for row in _rows(t)]
    return {name: list(values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)} if rows else {}


def _rows(one: Tried) -> Iterator[tuple[str, str, float | None, int]]:
    found = one.found
    if not found.loads:
        return
    yield "wall", "", max(load.wall_s for load in found.loads.values()), 1
    if one.judge is not None:
        yield from _judge_rows(one.judge)
    yield from (("spoiled", why, None, 1) for why in one.spoiled)
    if found.close_failed:
        yield "close_failed", "", None, found.close_failed
    yield "peak_sessions", "", None, found.sessions.peak
    yield "peak_steps", "", None, found.steps.peak
    yield from (("outcome", outcome, None, count) for outcome, count in found.steady.items())
    yield from (("host", host, None, count) for host, count in sorted(found.by_host.items()))
    for phase, latency in found.latencies.items():
        if latency.ok.total > found.steady.get("ok", 0):
            continue  # what the client counted did not come
        for word, histogram in (("ok", latency.ok), ("failed", latency.failed)):
            yield from ((phase, word, value / _US, count) for value, count in histogram.steps())
    yield from _server_rows(found)
    yield from _fault_rows(found)


def _judge_rows(judge: Judge) -> Iterator[tuple[str, str, float | None, int]]:
    if judge.steady_s is not None:
        yield "steady", "", judge.steady_s, 1
    if judge.unit == "sessions/s":
        yield "per_s", "", None, 1
    yield "judged", judge.phase, None, 1
    for word, value in judge.criterion.model_dump().items():
        yield "criterion", word, float(value), 1


def _server_rows(found: Load) -> Iterator[tuple[str, str, float | None, int]]:
    server = found.server
    if server.watched_s:
        yield "watched", "", server.watched_s, 1
    for role in ROLES:
        for name, used in sorted(found.resources(role).items()):
            yield f"{role}_cpu", name, used.cpu_s, 1
            yield f"{role}_memory", name, None, used.memory_bytes // KIB
            yield f"{role}_threads", name, None, used.threads
    if server.passed is None:
        return
    yield from (("passed", name, None, count) for name, count in sorted(server.passed.items()))
    yield "backends", "known", None, server.backends
    yield "backends", "healthy", None, server.fewest_healthy
    yield from (("balancer", name, None, count) for name, count in server.counted.items() if count >= 0)


def _fault_rows(found: Load) -> Iterator[tuple[str, str, float | None, int]]:
    cost = cost_of(found)
    if cost is None or found.server.fault is None:
        return
    yield "fault", "", found.server.fault.at_s, 1
    for word, value in (("eject", cost.eject_s), ("recover", cost.recover_s), ("readmit", cost.readmit_s)):
        if value is not None:
            yield "fault_cost", word, value, 1
    if cost.lost is not None:
        yield "fault_lost", "", None, cost.lost


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
    for (_, _, load, _), rows in found.items():
        _see_that_it_could_be(load, rows)
    return found


def _see_that_it_could_be(load: int, known: Mapping[tuple[str, str], Sequence[tuple[float, int]]]) -> None:
    counts = {key: sum(count for _, count in rows) for key, rows in known.items()}
    outcomes = {word: count for (quantity, word), count in counts.items() if quantity == "outcome"}
    if load > MOST_SESSIONS or not outcomes.keys() <= set(OUTCOMES):
        raise ValueError("a load, or an end of a session, that no run can have")
    if ("steady", "") not in known and sum(outcomes.values()) > load:
        raise ValueError(f"more sessions than the load of {load}")
    ok = outcomes.get("ok", 0)
    if any(counts.get((phase, "ok"), 0) > ok for phase in PHASES):
        raise ValueError("a phase of more sessions than succeeded")
