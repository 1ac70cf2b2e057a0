"""What a round's child says: JSON lines, each an object with `kind`. All times are epoch seconds unless they say otherwise.

A stamp is `[wall, mono]`: time.time_ns and time.monotonic_ns of the process that took it, in seconds.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from perfdb.processes.log import Line

_Time = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
_Pseudonym = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
_Word = Annotated[str, Field(max_length=200)]
_Told = Annotated[str, Field(max_length=2000)]
Stamped = tuple[_Time, _Time]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Begin(_Answer):
    """The round's circumstances.

    `phase_s`: how long after a poll of the strategy the first task was handed over. `nodes_per_block`: nodes of a block
    that run workers, so one where the launcher starts one pool for all of them.
    """

    kind: Literal["begin"]
    python: _Word
    parsl: _Word
    host: _Pseudonym
    boot: _Pseudonym
    strategy: _Word
    strategy_period_s: _Time
    max_idletime_s: _Time
    nodes_per_block: Annotated[int, Field(ge=1, le=100_000)]
    phase_s: _Time


class Submitted(_Answer):
    """A task was handed to Parsl."""

    kind: Literal["submitted"]
    task: int
    at: Stamped


class ScaleOut(_Answer):
    """The strategy asked for blocks."""

    kind: Literal["scale_out"]
    count: int
    at: Stamped


class Block(_Answer):
    """provider.submit, from its call to its return; `job` is None and `trouble` says why where it raised."""

    kind: Literal["block"]
    block: _Word
    job: _Word | None
    called: Stamped
    returned: Stamped
    trouble: _Told | None = None


class Cancelled(_Answer):
    """provider.cancel, from its call to its return."""

    kind: Literal["cancelled"]
    jobs: tuple[_Word, ...]
    called: Stamped
    returned: Stamped


class _OfNode(_Answer):
    """Who a node is, and whether it fits. `sees_run_dir`: whether it read there what the submit host wrote."""

    block: _Word
    pool: _Word
    node: _Pseudonym
    host: _Pseudonym
    boot: _Pseudonym
    python: _Word
    parsl: _Word
    sees_run_dir: bool


class NodeReport(_OfNode):
    """What a node says of itself before the first round."""

    kind: Literal["node"]
    facts: dict[str, object]


class ScriptReport(_Answer):
    """What a block's job script wrote into the run folder before its worker pool: it speaks for blocks that never came up."""

    kind: Literal["script"]
    job: _Word
    started: _Time
    python: _Word
    parsl: _Word


class Ended(_OfNode):
    """One task, from the node that ran it.

    `started`, `ended`: stamps of that host; `script`, `pool_at`: epoch by its clock.
    `gathered`: when a loop over the results in order of submission had this one.
    """

    kind: Literal["task"]
    task: int
    started: Stamped
    ended: Stamped
    script: _Time | None
    pool_at: _Time | None
    received: Stamped
    gathered: _Time | None = None


class Failed(_Answer):
    """A task that gave no result."""

    kind: Literal["task_failed"]
    task: int
    trouble: _Told
    received: Stamped


class Registered(_Answer):
    """A manager that the interchange knows, by its own log; `at` has the log's resolution."""

    kind: Literal["registered"]
    block: _Word
    pool: _Word
    at: _Time


class Offset(_Answer):
    """How far a host's clock is ahead of the submit host's, and how far off that may be, by the shortest round trip seen."""

    kind: Literal["offset"]
    host: _Pseudonym
    boot: _Pseudonym
    ahead_s: Annotated[float, Field(allow_inf_nan=False)]
    within_s: _Time


class ClockAsked(_Answer):
    """A task that only told the clock: its node was busy until then. `ended` is a stamp of its host."""

    kind: Literal["clock_asked"]
    block: _Word
    pool: _Word
    host: _Pseudonym
    boot: _Pseudonym
    ended: Stamped


class LastWords(_Answer):
    """What a block's job wrote last, for a block that never registered."""

    kind: Literal["last_words"]
    block: _Word
    text: _Told


class Gone(_Answer):
    """The round is over: how, and why.

    `all`: every node ran a task; `timeout`; `bad_state`: Parsl gave the executor up, or nearly every task failed.
    """

    kind: Literal["end"]
    outcome: Literal["all", "timeout", "bad_state"]
    trouble: _Told | None = None
    at: Stamped


Answer = (
    Begin
    | Submitted
    | ScaleOut
    | Block
    | Cancelled
    | NodeReport
    | ScriptReport
    | Ended
    | Failed
    | Registered
    | Offset
    | ClockAsked
    | LastWords
    | Gone
)
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
