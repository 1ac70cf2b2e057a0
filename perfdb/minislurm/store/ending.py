"""How a job ended, from what its journal says."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from perfdb.minislurm.clock import Clock
from perfdb.minislurm.states import State
from perfdb.minislurm.supervisor.journal import Journal

_STATES = {
    "exited": State.FAILED,
    "cancelled": State.CANCELLED,
    "timeout": State.TIMEOUT,
    "out_of_memory": State.OUT_OF_MEMORY,
    "unstarted": State.FAILED,
}
_REASONS = {
    "cancelled": "it was cancelled",
    "timeout": "its time was over",
    "out_of_memory": "it wanted more memory than it may have",
}


@dataclass(frozen=True)
class Ending:
    """The end of one job. The clocks' readings are as those of a Job."""

    state: State
    reason: str
    ended_ns: int
    ended_at: float
    started_ns: int | None = None
    started_at: float | None = None
    exit_code: int | None = None
    signal: int | None = None
    cpu_s: float | None = None
    peak_kb: int | None = None


def told(journal: Journal) -> Ending | None:
    """As its supervisor told it; None where it did not."""
    exit_, started = journal.exit, journal.started
    if exit_ is None:
        return None
    is_good = exit_.why == "exited" and exit_.code == 0
    return Ending(
        state=State.COMPLETED if is_good else _STATES[exit_.why],
        reason=_REASONS.get(exit_.why) or exit_.detail or _why(exit_.code, exit_.signal),
        ended_ns=exit_.ns,
        ended_at=exit_.at,
        started_ns=started.ns if started else None,
        started_at=started.at if started else None,
        exit_code=exit_.code,
        signal=exit_.signal,
        cpu_s=exit_.cpu_s,
        peak_kb=exit_.peak_kb,
    )


def lost(journal: Journal | None, reason: str, clock: Clock, boot: str, last_ns: int) -> Ending:
    """Nobody knows how it ended: its supervisor was lost, or the machine was.

    Args:
        boot: The one it ran in.
        last_ns: In that boot's clock, when we heard of it last; its end, where the clock is not ours any more.
    """
    started = journal.started if journal else None
    return Ending(
        state=State.NODE_FAIL,
        reason=reason,
        ended_ns=clock.ns() if boot == clock.boot else (started.ns if started else last_ns),
        ended_at=clock.at(),
        started_ns=started.ns if started else None,
        started_at=started.at if started else None,
    )


def cancelled_unstarted(clock: Clock) -> Ending:
    """It waited, and somebody took it out of the queue."""
    return Ending(State.CANCELLED, "it was cancelled while it waited", clock.ns(), clock.at())


def _why(code: int | None, number: int | None) -> str:
    if number is not None:
        try:
            return f"ended by {signal.Signals(number).name}"
        except ValueError:
            return f"ended by signal {number}"
    return "" if code == 0 else f"exit code {code}"
