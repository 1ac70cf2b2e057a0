"""What goes into a sentence: one line each, no longer than is read. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from perfdb.families.autoscale.milestones import CHAIN
from perfdb.families.autoscale.rounds.chain import Round
from perfdb.families.autoscale.rounds.lives import BlockLife
from perfdb.platforms.base import UNTOLD

LONGEST = 1900
_MOST = 5
# States of jobs that did not end by our doing.
CUT_SHORT = {
    "TIMEOUT": "its walltime was over",
    "NODE_FAIL": "a node failed",
    "BOOT_FAIL": "a node did not boot",
    "PREEMPTED": "another job took its place",
    "DEADLINE": "its deadline was over",
    "OUT_OF_MEMORY": "it used more memory than it was granted",
    "FAILED": "its script ended with an error",
}


def shortened(text: str, longest: int = LONGEST) -> str:
    """One line of printable text; of a long one its begin and its end, where the cause often stands."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    half = (longest - 3) // 2
    return line if len(line) <= longest else f"{line[:half]} … {line[-half:]}"


def listed(faults: Sequence[str]) -> str:
    """The first few of them, and how many more there are."""
    more = f"; and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
    text = "; ".join(shortened(fault, LONGEST // _MOST - 10) for fault in faults[:_MOST])
    return text + more


def standing(life: BlockLife) -> str:
    """How far a block came, what its scheduler said of it last, and its job's last words."""
    parts = []
    reached = [milestone.name for milestone in CHAIN if life.milestones.get(milestone.name) is not None]
    if life.submitted is not None and life.submitted.trouble is not None:
        parts.append(f"provider.submit refused: {shortened(life.submitted.trouble, 600)}")
    elif reached:
        parts.append(f"came as far as {reached[-1]}")
    if life.job is not None and life.job.state is not None:
        why = f" ({shortened(life.job.why, 100)})" if life.job.why else ""
        meaning = f", {CUT_SHORT[life.job.state]}" if life.job.state in CUT_SHORT else ""
        parts.append(f"its job is {shortened(life.job.state, 100)}{why}{meaning}")
    if life.last_words and not life.registered:
        parts.append(f"its job's last words: {shortened(life.last_words, 300)}")
    return f"block {life.block[:40]} {', '.join(parts) or 'said nothing'}"


def trouble_of(round_: Round) -> str | None:
    """What kept a round from its end, None where nothing did."""
    parts = []
    if round_.end is not None and (round_.end.outcome != "all" or round_.end.trouble is not None):
        said = f" ({shortened(round_.end.trouble, 500)})" if round_.end.trouble else ""
        parts.append(f"{_OUTCOMES[round_.end.outcome]}{said}")
    if round_.failed:
        count = f"{len(round_.failed)} task{'s' if len(round_.failed) > 1 else ''}"
        parts.append(f"{count} gave no result ({shortened(round_.failed[0].trouble, 300)})")
    if parts:
        parts += [
            f"the job of block {life.block[:40]} is {life.job.state}: {CUT_SHORT[life.job.state]}"
            for life in round_.blocks
            if life.job is not None and life.job.state in CUT_SHORT and not life.missing
        ][:_MOST]
        untold = [life.block[:40] for life in round_.blocks if life.job is not None and life.job.why == UNTOLD]
        parts += [f"{UNTOLD} of the jobs of blocks {', '.join(untold[:_MOST])}"] if untold else []
    return f"{round_.name}: {'; '.join(parts)}" if parts else None


_OUTCOMES = {
    "all": "every node ran a task, and not all went well after that",
    "timeout": "not every node had run a task in time",
    "bad_state": "Parsl gave the executor up",
}
