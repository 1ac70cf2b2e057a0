"""What a child of one arm says: JSON lines, each an object with `kind`.

    {"kind": "begin", "target": "mini-slurm", "arm": "on", "mix": "8c1f…", "jobs": 6, "cpus": 2, "real_cpus": 2, "unit": "cpu",
     "enforcement": "cgroup v1", "overcommit": false, "version": "0.9", "ns": 5120…}
    {"kind": "job", "job": 1, "what": "arrived", "ns": 5121…}
    {"kind": "job", "job": 1, "what": "allocated", "ns": 5122…, "cpus": 1}
    {"kind": "job", "job": 1, "what": "ended", "ns": 5199…, "state": "COMPLETED", "cpu_s": 3.1}
    {"kind": "resize", "job": 1, "generation": 1, "what": "decided", "ns": 5130…, "cpus_from": 1, "cpus_to": 2}
    {"kind": "allocation", "job": 1, "ns": 5130…, "cpus": 2}
    {"kind": "cost", "job": 1, "generation": 1, "lost_units": 0, "lost_s": 0.0, "paused_s": 0.004}
    {"kind": "work", "job": 1, "units": 20, "done": 20, "lost": 0}
    {"kind": "machine", "wall_s": 6.1, "cpus": 2, "busy_s": 8.2, "own_s": 8.0}
    {"kind": "end", "outcome": "all", "trouble": null, "given": {"begin": 1, "job": 24, …}}

`job` is the job's number in the mix, from 1. `ns` is CLOCK_MONOTONIC of one boot of one host, whoever writes it down: what
happens on several hosts is brought to the clock of the host whose scheduler decides. `cpus` counts what the scheduler gives:
CPUs of mini-slurm, whole nodes of Slurm, as `unit` says. Lines may come in any order; `begin` is the first, `end` the last.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from perfdb.processes.log import Line

Arm = Literal["off", "on", "threshold"]
Target = Literal["mini-slurm", "slurm"]
# In the order in which they happen to a job, and to a resize. `granted`: Slurm has made the allocation another one.
Milestone = Literal["arrived", "submitted", "allocated", "started", "ended"]
Stage = Literal["decided", "granted", "written", "signalled", "acknowledged", "applied", "overdue", "withdrawn"]
CHAIN: tuple[Stage, ...] = ("decided", "granted", "written", "signalled", "acknowledged", "applied")

MOST_JOBS, MOST_CPUS, MOST_GENERATIONS = 10_000, 1_000_000, 1_000_000
_Job = Annotated[int, Field(ge=1, le=MOST_JOBS)]
_Cpus = Annotated[int, Field(ge=0, le=MOST_CPUS)]
_Generation = Annotated[int, Field(ge=1, le=MOST_GENERATIONS)]
_Ns = Annotated[int, Field(ge=0, le=2**62)]
_Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, le=2**53)]
_Units = Annotated[int, Field(ge=0, le=10**9)]
_State = Annotated[str, Field(pattern=r"^[A-Z_]{0,40}$")]
_Word = Annotated[str, Field(max_length=200)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Begin(_Answer):
    """The scheduler is up, and the first job arrives next.

    `mix`: SHA-256 of the jobs that the child was given. `cpus`: what the scheduler gives; `real_cpus`: what there is of it.
    `enforcement`: what keeps jobs to their allocation, '' where nothing does. `ns`: arrivals count from here.
    """

    kind: Literal["begin"]
    target: Target
    arm: Arm
    mix: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    jobs: _Count
    cpus: Annotated[int, Field(ge=1, le=MOST_CPUS)]
    real_cpus: Annotated[int, Field(ge=1, le=MOST_CPUS)]
    unit: Literal["cpu", "node"]
    enforcement: _Word
    overcommit: bool
    version: _Word
    ns: _Ns


class JobEvent(_Answer):
    """A job came that far.

    `arrived`: it was handed to the scheduler; `submitted`: the scheduler has it. `cpus`: of `allocated`, what it got.
    `state` and `cpu_s` (CPU seconds that its processes used, None where nobody knows) are of `ended`.
    """

    kind: Literal["job"]
    job: _Job
    what: Milestone
    ns: _Ns
    cpus: _Cpus | None = None
    state: _State = ""
    cpu_s: _Seconds | None = None


class ResizeEvent(_Answer):
    """A resize came that far. `generation`: which one of its job, from 1.

    `acknowledged`, `applied`: as the job says by its own clock, where `by` is `job`; `applied` of a shrink by `scheduler`: it
    was narrowed without a word of it. `overdue`: it had not let go in time. `withdrawn`: the allocation stays as it was.
    `processes`: of `signalled`, how many were.
    """

    kind: Literal["resize"]
    job: _Job
    generation: _Generation
    what: Stage
    ns: _Ns
    cpus_from: _Cpus
    cpus_to: _Cpus
    processes: _Count | None = None
    by: Literal["job", "scheduler"] = "scheduler"


class Allocation(_Answer):
    """So many CPUs are promised to the job from then on; 0 once it is over. Of a shrink: from when they are free for others."""

    kind: Literal["allocation"]
    job: _Job
    ns: _Ns
    cpus: _Cpus


class Cost(_Answer):
    """What a resize cost its job, as the job says.

    `lost_units`: units of work under way that were dropped, to be done again; `lost_s`: the worker seconds that had gone into
    them. `paused_s`: worker seconds in which a worker that the job had, or could have had, did no unit, from the job's
    notice of it to its `applied`.
    """

    kind: Literal["cost"]
    job: _Job
    generation: _Generation
    lost_units: _Units
    lost_s: _Seconds
    paused_s: _Seconds


class Work(_Answer):
    """A job's work: units that it was given, that it did, and that it dropped and did again."""

    kind: Literal["work"]
    job: _Job
    units: _Units
    done: _Units
    lost: _Units


class Machine(_Answer):
    """What the machine's CPUs did from the first arrival to the last end: `busy_s` of them all, `own_s` of this run's processes."""

    kind: Literal["machine"]
    wall_s: _Seconds
    cpus: _Count
    busy_s: _Seconds
    own_s: _Seconds


class Progress(_Answer):
    """How things stand: jobs that arrived, hold CPUs, and are over; CPUs promised."""

    kind: Literal["progress"]
    at_s: _Seconds
    arrived: _Count
    running: _Count
    ended: _Count
    promised: _Cpus


class Note(_Answer):
    """Something that people should know."""

    kind: Literal["note"]
    text: Annotated[str, Field(max_length=2000)]


class End(_Answer):
    """The child is done: `all` jobs are over, `timeout` (its patience was), `stopped` before, or `failed`.

    `given`: how many lines it gave, by their kinds, besides `progress` and this one.
    """

    kind: Literal["end"]
    outcome: Literal["all", "timeout", "stopped", "failed"]
    trouble: Annotated[str, Field(max_length=2000)] | None
    given: dict[_Word, _Count]


Answer = Begin | JobEvent | ResizeEvent | Allocation | Cost | Work | Machine | Progress | Note | End
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


def read_answers(lines: tuple[Line, ...]) -> tuple[Answer, ...]:
    """Every whole answer, in order; a line that is none is passed over, and `End.given` tells that it is missing."""
    answers = []
    for line in lines:
        if (answer := read_answer(line.text)) is not None:
            answers.append(answer)
    return tuple(answers)


def read_answer(text: str) -> Answer | None:
    """One of them, or None."""
    try:
        return _ANSWER.validate_json(text)
    except ValidationError:
        return None
