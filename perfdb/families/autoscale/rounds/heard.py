"""A round's answers, sorted by what they are about. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from perfdb.families.autoscale.rounds.answers import (
    Answer,
    Begin,
    Block,
    Cancelled,
    ClockAsked,
    Ended,
    Failed,
    Gone,
    LastWords,
    Offset,
    Registered,
    ScaleOut,
    ScriptReport,
    Submitted,
)

Kind = TypeVar("Kind", bound=BaseModel)


@dataclass(frozen=True)
class Heard:
    """Of registrations and cancellations the first counts, of what else is told twice the last."""

    begin: Begin | None
    end: Gone | None
    submitted: Mapping[int, Submitted]
    scale_outs: Sequence[ScaleOut]
    blocks: Mapping[str, Block]
    cancelled: Mapping[str, Cancelled]
    tasks: Sequence[Ended]
    failed: Sequence[Failed]
    registered: Mapping[tuple[str, str], Registered]
    scripts: Mapping[str, ScriptReport]
    offsets: Mapping[str, Offset]
    clocks_asked: Sequence[ClockAsked]
    last_words: Mapping[str, str]

    @property
    def first(self) -> Submitted | None:
        """The submission with which the round began."""
        return min(self.submitted.values(), key=lambda submitted: submitted.at[1], default=None)

    @property
    def nodes_per_block(self) -> int:
        """What the config asks for."""
        return self.begin.nodes_per_block if self.begin else 1

    @property
    def pools(self) -> dict[tuple[str, str], list[Ended]]:
        """The tasks of each worker pool, by its block's name and its own."""
        found: dict[tuple[str, str], list[Ended]] = {}
        for task in self.tasks:
            found.setdefault((task.block, task.pool), []).append(task)
        return found


def heard(answers: Sequence[Answer]) -> Heard:
    """All of them."""

    def every(kind: type[Kind]) -> list[Kind]:
        return [answer for answer in answers if isinstance(answer, kind)]

    return Heard(
        begin=next(iter(every(Begin)), None),
        end=next(iter(every(Gone)), None),
        submitted={each.task: each for each in every(Submitted)},
        scale_outs=every(ScaleOut),
        blocks={each.block: each for each in every(Block)},
        cancelled={job: each for each in reversed(every(Cancelled)) for job in each.jobs},
        tasks=every(Ended),
        failed=every(Failed),
        registered={(each.block, each.pool): each for each in reversed(every(Registered))},
        scripts={each.job: each for each in every(ScriptReport)},
        offsets={each.boot: each for each in every(Offset)},
        clocks_asked=every(ClockAsked),
        last_words={each.block: each.text for each in every(LastWords)},
    )
