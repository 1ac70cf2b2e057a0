"""What a child of one arm says: JSON lines, each an object with `kind`.

    {"kind": "begin", "arm": "slurm:backfill", "workload": "8c1f…", "jobs": 24, "nodes": 4, "fresh": true, "version": "22.05.8",
     "settings": {"SchedulerType": "sched/backfill"}, "clock": {"name": "slurmctld.log", "resolution_s": 0.001, "offset_s": 0.0,
     "uncertainty_s": 0.0}, "ns": 17000…}
    {"kind": "job", "job": 1, "batch": 1, "submitted": 17…, "eligible": 17…, "allocated": 17…, "started": 17…, "ended": 17…,
     "released": 17…, "inside_began": 17…, "inside_ended": 17…, "state": "COMPLETED", "node_list": "0-1"}
    {"kind": "jobs", "batch": 1, "rows": [[1, 17000…, 4000000, 0, 12000000000, 0, "COMPLETED", "0-1"]]}
    {"kind": "nodes", "when": "before", "states": {"idle": 4}}
    {"kind": "progress", "at_s": 4.1, "submitted": 20, "running": 3, "ended": 8}
    {"kind": "end", "outcome": "all", "trouble": null, "ns": 17…, "given": {"begin": 1, "job": 24, …}}

A `job` line is given once for each job and batch: when it is over, or, of those that never are, before `end`. `jobs` are many of
them in one line, since a child's log takes 16 MiB; they are read, and counted in `given`, as so many `job` lines. All instants are
nanoseconds since 1970 on the scheduler's own clock, which is `clock.offset_s` seconds ahead of the submitting host's; only
`inside_…` are of the node's clock. An instant that nobody knows is null. A simulated arm counts from 0 on a clock of its own.
Nodes are numbered from 0 as the scheduler orders them; `node_list` is ranges of those numbers, '' where nobody knows.
Artifacts, such as a scheduler's log, are files that the child leaves in the folder `artifacts` of PERFDB_RUN_DIR.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from perfdb.families.schedulers.workload.job import MOST_JOBS, MOST_NODES
from perfdb.processes.log import Line

# How many jobs a child can tell of, all batches taken together: its log takes 16 MiB, a line of `jobs` 32 KiB at most; a row
# without its nodes takes some 110 bytes there, a `job` line 430, and progress is told besides.
MOST_JOB_ROWS, MOST_JOB_LINES = 100_000, 30_000

_Ns = Annotated[int, Field(ge=0, le=2**62)]
_Seconds = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=2**53)]
_State = Annotated[str, Field(pattern=r"^[A-Z_]{0,40}$")]
_Word = Annotated[str, Field(max_length=200)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Clock(_Answer):
    """The clock of the instants.

    `offset_s`: it is so far ahead of the submitting host's; `uncertainty_s`: how well that is known; both 0 where it is the same.
    """

    name: _Word
    resolution_s: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
    offset_s: _Seconds
    uncertainty_s: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class Begin(_Answer):
    """The scheduler is up, and the first job is submitted next: arrivals of the first batch count from `ns`.

    `fresh`: it has seen no job before. `settings`: what of its set-up matters, by the scheduler's own names.
    """

    kind: Literal["begin"]
    arm: _Word
    workload: _Digest
    jobs: _Count
    nodes: Annotated[int, Field(ge=1, le=MOST_NODES)]
    fresh: bool
    version: _Word
    settings: Annotated[dict[_Word, _Word], Field(max_length=100)]
    clock: Clock
    ns: _Ns


class Batch(_Answer):
    """Arrivals of this batch, from the second on, count from `ns`."""

    kind: Literal["batch"]
    batch: Annotated[int, Field(ge=2, le=10_000)]
    ns: _Ns


class JobTold(_Answer):
    """What became of a job. `state`: COMPLETED, FAILED, CANCELLED, TIMEOUT, …; RUNNING or PENDING where it was not over."""

    kind: Literal["job"]
    job: Annotated[int, Field(ge=1, le=MOST_JOBS)]
    batch: Annotated[int, Field(ge=1, le=10_000)] = 1
    submitted: _Ns | None = None
    eligible: _Ns | None = None
    allocated: _Ns | None = None
    started: _Ns | None = None
    ended: _Ns | None = None
    released: _Ns | None = None
    inside_began: _Ns | None = None
    inside_ended: _Ns | None = None
    state: _State
    node_list: Annotated[str, Field(pattern=r"^[0-9,-]*$", max_length=100_000)] = ""


_Row = tuple[int, _Ns | None, _Ns | None, _Ns | None, _Ns | None, _Ns | None, str, str]
_CHAIN = ("submitted", "allocated", "started", "ended", "released")


class Jobs(_Answer):
    """What became of many jobs, which were all eligible once submitted, and took no stamps themselves.

    `rows`: of each its number; when it was submitted; how long after that it was allocated, then started, ended, released, each
    in nanoseconds after the one before, null from the first that nobody knows on; its state; its nodes.
    """

    kind: Literal["jobs"]
    batch: Annotated[int, Field(ge=1, le=10_000)]
    rows: Annotated[list[_Row], Field(max_length=10_000)]

    def each(self) -> Iterator[JobTold]:
        """As single ones. Raises ValidationError where a row is none that a `job` line could tell."""
        for job, *steps, state, node_list in self.rows:
            stamps: dict[str, Any] = {}
            at = 0
            for name, step in zip(_CHAIN, steps, strict=True):
                if not isinstance(step, int):
                    break
                at += step
                stamps[name] = at
            yield JobTold(
                kind="job",
                job=job,
                batch=self.batch,
                eligible=stamps.get("submitted"),
                state=state,
                node_list=node_list,
                **stamps,
            )


def row_of(told: JobTold) -> _Row:
    """As `Jobs.rows` has it."""
    steps: list[int | None] = [None] * len(_CHAIN)
    before = 0
    for place, name in enumerate(_CHAIN):
        at = getattr(told, name)
        if at is None:
            break
        steps[place], before = at - before, at
    submitted, allocated, started, ended, released = steps
    return told.job, submitted, allocated, started, ended, released, told.state, told.node_list


class Nodes(_Answer):
    """How many nodes are in which state, `before` the first submission and `after` the last end."""

    kind: Literal["nodes"]
    when: Literal["before", "after"]
    states: Annotated[dict[_Word, _Count], Field(max_length=100)]


class Progress(_Answer):
    """How things stand, `at_s` seconds after the begin."""

    kind: Literal["progress"]
    at_s: _Seconds
    submitted: _Count
    running: _Count
    ended: _Count


class Note(_Answer):
    """Something that people should know."""

    kind: Literal["note"]
    text: Annotated[str, Field(max_length=2000)]


class End(_Answer):
    """The child is done: `all` jobs are over, `timeout` (its patience was), `stopped` before, or `failed`.

    `left`: what could not be ended or removed, in words; '' where nothing is left. `given`: how many lines it gave, by their
    kinds, besides `progress` and this one.
    """

    kind: Literal["end"]
    outcome: Literal["all", "timeout", "stopped", "failed"]
    trouble: Annotated[str, Field(max_length=2000)] | None
    left: Annotated[str, Field(max_length=2000)]
    ns: _Ns
    given: dict[_Word, _Count]


Answer = Begin | Batch | JobTold | Nodes | Progress | Note | End
_ANSWER: TypeAdapter[Answer | Jobs] = TypeAdapter(Annotated[Answer | Jobs, Field(discriminator="kind")])


def read_answers(lines: tuple[Line, ...]) -> tuple[Answer, ...]:
    """Every whole answer, in order; a line that is none is passed over, and `End.given` tells that it is missing."""
    return tuple(answer for line in lines for answer in _read(line.text))


def read_answer(text: str) -> Answer | None:
    """One of them, or None, as of a line that tells several."""
    answers = _read(text)
    return answers[0] if len(answers) == 1 else None


def _read(text: str) -> Sequence[Answer]:
    try:
        answer = _ANSWER.validate_json(text)
        return tuple(answer.each()) if isinstance(answer, Jobs) else (answer,)
    except ValidationError:
        return ()
