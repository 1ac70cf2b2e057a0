"""Whether a cluster runs, and what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perfdb.platforms.pocket import traces
from perfdb.platforms.pocket.commands import ask
from perfdb.platforms.pocket.places import Description, Places

if TYPE_CHECKING:
    import psutil


@dataclass(frozen=True)
class Status:
    """A cluster now.

    Attributes:
        description: What was asked for, if it was ever started.
        daemons: Those that should run, by name, and their process; None where one is dead.
        answers: Whether slurmctld does.
        processes: How many there are, those of jobs included.
        nodes: Slurm's word for the state of each.
        jobs: Those that are not over, by number.
    """

    description: Description | None
    daemons: dict[str, int | None]
    answers: bool
    processes: int
    nodes: dict[str, str]
    jobs: tuple[str, ...]

    @property
    def up(self) -> bool:
        """Whether all of it runs."""
        return self.description is not None and self.answers and not self.dead

    @property
    def dead(self) -> tuple[str, ...]:
        """The daemons that should run and don't."""
        return tuple(name for name, pid in self.daemons.items() if pid is None)


def status(places: Places) -> Status:
    """Look."""
    description = places.description()
    found = traces.processes(places)
    if description is None or not found:
        return Status(description, {}, answers=False, processes=len(found), nodes={}, jobs=())
    running = {name: pid for process in found for name, pid in _daemon(process)}
    options = description.options
    bookkeepers = ["mariadbd", "slurmdbd"] if options.accounting else []
    expected = [
        "munged",
        "slurmctld",
        *bookkeepers,
        *([] if options.cloud else [f"slurmd-{node}" for node in options.node_names]),
    ]
    daemons: dict[str, int | None] = {name: running.get(name) for name in expected}
    daemons |= {name: pid for name, pid in running.items() if name not in daemons}
    # Without munged every command of Slurm's waits for it in vain.
    can_answer = daemons["munged"] is not None and daemons["slurmctld"] is not None
    answers = can_answer and ask(places, "scontrol", "ping") is not None
    return Status(
        description,
        daemons,
        answers,
        len(found),
        node_states(places) if answers else {},
        job_ids(places) if answers else (),
    )


def job_ids(places: Places) -> tuple[str, ...]:
    """Jobs that are not over; none while slurmctld does not answer."""
    return tuple((ask(places, "squeue", "--noheader", "--format=%A") or "").split())


def node_states(places: Places) -> dict[str, str]:
    """Slurm's short word for each node's state, with its mark: `idle~` is powered down; empty while it does not answer."""
    lines = (ask(places, "sinfo", "--noheader", "--Node", "--format=%N %t") or "").splitlines()
    return {name: state for name, _, state in (line.partition(" ") for line in lines)}


def _daemon(process: psutil.Process) -> list[tuple[str, int]]:
    import psutil

    try:
        words = process.cmdline()
    except psutil.Error:
        return []
    program = words[0].rpartition("/")[2] if words else ""
    if program == "slurmd" and "-N" in words:
        return [(f"slurmd-{words[words.index('-N') + 1]}", process.pid)]
    return [(program, process.pid)] if program in {"munged", "slurmctld", "slurmdbd", "mariadbd"} else []
