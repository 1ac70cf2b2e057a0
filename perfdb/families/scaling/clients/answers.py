"""What a load's children say: JSON lines, each an object with `kind`.

A client's have `client`, its number; all but `begin` and `progress` is told once the load is over. Those without are of who
watches the service meanwhile: moments in them are epoch seconds, names of servers are pseudonyms.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from perfdb.families.scaling.histogram import Histogram
from perfdb.processes.log import Line

Phase = Literal["connect", "reset", "step", "close", "total"]
Outcome = Literal["ok", "refused", "capacity", "503", "reset", "timeout", "wrong_answer", "client"]
_Client = Annotated[int, Field(ge=0, lt=10_000)]
_Count = Annotated[int, Field(ge=0, le=2**53)]
_Time = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
_Pseudonym = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
_Word = Annotated[str, Field(max_length=200)]
_Microseconds = Annotated[int, Field(ge=-(10**12), le=10**12)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    client: _Client


class Begin(_Answer):
    """What this client has to work with.

    `late_s`: how long after the load's beginning it was ready. `files`: connections that it may have open; `ports`: those
    that the kernel gives to one address, None where it does not say.
    """

    kind: Literal["begin"]
    clients: Annotated[int, Field(ge=1, le=10_000)]
    begin_at: _Time
    late_s: _Time
    python: _Word
    files: _Count
    ports: _Count | None
    cpus: _Count
    clock_resolution_s: _Time


class Progress(_Answer):
    """How things stand, about once a second: sessions begun, over, and of these failed."""

    kind: Literal["progress"]
    at_s: _Time
    begun: _Count
    over: _Count
    failed: _Count


class Counts(_Answer):
    """How many sessions ended how, of those scheduled in the steady window or of all.

    `close_failed`: of the successful ones, those whose close went wrong.
    """

    kind: Literal["counts"]
    window: Literal["steady", "all"]
    outcomes: dict[Outcome, _Count]
    close_failed: _Count


class Spread(BaseModel):
    """Some of many values, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: _Count
    p50_s: _Time
    p99_s: _Time
    max_s: _Time


class ClientLoad(_Answer):
    """What the load cost its client, and how far that was behind.

    `send_lag`: by how much sessions, and steps from a barrier, were sent after their schedule. `tick_lag`: the same of a
    tick every 10 ms, which tells a stall at any time. `longest_busy_s`: the longest time without a wait for the kernel; no
    answer was noticed later than that after it came. `highest_cpu_share`: of one core, in the worst second, or over all of a
    load that was no second long.
    `waited_for_cpu_s`: how long it could have run, and others had the core; None where the kernel does not say.
    """

    kind: Literal["load"]
    wall_s: _Time
    cpu_s: _Time
    highest_cpu_share: _Time
    waited_for_cpu_s: _Time | None
    send_lag: Spread | None
    tick_lag: Spread | None
    longest_busy_s: _Time


class PhaseHistogram(_Answer):
    """Microseconds that a phase took in the steady window: of successful sessions, or of failed ones up to their failure."""

    kind: Literal["histogram"]
    phase: Phase
    outcome: Literal["ok", "failed"]
    encoded: Annotated[str, Field(max_length=200_000)]

    @field_validator("encoded")
    @classmethod
    def _whole(cls, encoded: str) -> str:
        Histogram.decode(encoded)
        return encoded


class InFlight(_Answer):
    """How many sessions more or fewer were open, or steps under way: `(milliseconds since the beginning, change)`.

    `ok_steps`: steps of sessions that succeeded; told of a load with a barrier. The moments are exact to 1 ms as long as these are
    not too many to tell, else to 10 ms, and so on.
    """

    kind: Literal["in_flight"]
    what: Literal["sessions", "steps", "ok_steps"]
    changes: tuple[tuple[_Count, Annotated[int, Field(ge=-(2**53), le=2**53)]], ...]


class Names(_Answer):
    """What the numbers in the rows stand for, in order: a few at a time, for a line holds no more.

    Hosts and troubles beyond the first 1,000 and 100 have no name. `rows`: sessions that there are rows of, `left_out`: those
    that are in the counts alone; the same in each of a client's.
    """

    kind: Literal["names"]
    hosts: tuple[_Pseudonym, ...]
    troubles: tuple[_Word, ...]
    rows: _Count
    left_out: _Count


class Row(NamedTuple):
    """One session, times in microseconds; `scheduled_us` since the load's beginning, `total_us` from then on.

    `host` and `trouble` are places in the `Names` of its client.
    """

    session: _Count
    scheduled_us: _Microseconds
    lag_us: _Microseconds
    connect_us: _Microseconds | None
    reset_us: _Microseconds | None
    step_us: _Microseconds | None
    close_us: _Microseconds | None
    total_us: _Microseconds
    waited_us: _Microseconds | None
    pid: _Count | None
    session_hash: _Pseudonym | None
    host: _Count | None
    outcome: Outcome
    trouble: _Count | None


class Rows(_Answer):
    """Some sessions."""

    kind: Literal["rows"]
    rows: tuple[Row, ...]


class End(_Answer):
    """The client is done: `all` that was planned, `stopped` before, or `failed` to begin.

    `given`: how many answers it gave, by their kinds, besides `progress` and this one.
    """

    kind: Literal["end"]
    outcome: Literal["all", "stopped", "failed"]
    trouble: _Word | None
    given: dict[_Word, _Count] = {}


class _Seen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Server(NamedTuple):
    """A server that is looked at. `how`: by its `processes` here, by the `stats` that it tells itself, or not at all."""

    name: _Pseudonym
    role: Literal["backend", "balancer"]
    how: Literal["processes", "stats", "none"]


class Watching(_Seen):
    """Who is there. `balancer`: whether an Envoy's admin answers, or one of another port's Envoy."""

    kind: Literal["watch"]
    balancer: Literal["watched", "no_answer", "other_port"]
    servers: tuple[Server, ...]


class Used(NamedTuple):
    """What a server uses: its place in `Watching.servers`, CPU seconds since the watch began, memory over its processes."""

    server: _Count
    cpu_s: _Time
    memory_bytes: _Count
    threads: _Count
    processes: _Count


class Usage(_Seen):
    """What those servers use that say so."""

    kind: Literal["usage"]
    at: _Time
    rows: tuple[Used, ...]


class Passed(_Seen):
    """Requests that the balancer had sent to each backend since its start, before a load or after it."""

    kind: Literal["passed"]
    when: Literal["before", "after"]
    at: _Time
    rows: tuple[tuple[_Pseudonym, _Count], ...]


class BalancerState(_Seen):
    """What the balancer says of itself: backends now, counters since its start.

    `health_refusals`: of the failed health checks, those that were answered, with something else than success: a backend that
    does that is taken out at once. `membership_changes`: how often backends came, or went without being ill.
    """

    kind: Literal["balancer"]
    at: _Time
    backends: _Count
    healthy: _Count
    memory_bytes: _Count | None
    ejections: _Count
    overflow_503: _Count
    none_healthy_503: _Count
    panics: _Count
    health_failures: _Count
    health_refusals: _Count
    membership_changes: _Count


class Health(_Seen):
    """How many backends there are, and are healthy, from then on; told around a fault."""

    kind: Literal["health"]
    at: _Time
    backends: _Count
    healthy: _Count


class FaultDone(_Seen):
    """The fault's command was begun at that moment, and took so long. `code`: None where it could not be run or did not end."""

    kind: Literal["fault"]
    at: _Time
    took_s: _Time
    code: Annotated[int, Field(ge=-(2**31), lt=2**32)] | None


SeenAnswer = Watching | Usage | Passed | BalancerState | Health | FaultDone
Answer = (
    Begin | Progress | Counts | ClientLoad | PhaseHistogram | InFlight | Names | Rows | End
    | Watching | Usage | Passed | BalancerState | Health | FaultDone
)  # fmt: skip
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


def read_answers(lines: tuple[Line, ...]) -> tuple[Answer, ...]:
    """Every whole answer, in order; a line that is none is passed over."""
    answers = []
    for line in lines:
        try:
            answers.append(_ANSWER.validate_json(line.text))
        except ValidationError:
            continue
    return tuple(answers)
