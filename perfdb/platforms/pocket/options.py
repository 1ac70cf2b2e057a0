"""What can be asked of a pocket cluster."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from perfdb.record.model import Frozen

# A cloud node with nothing to do for this long is powered down.
SUSPEND_TIME_S = 12
# A node's daemon is killed well within this time; from then on the node may be powered up again.
SUSPEND_TIMEOUT_S = 3
# What a node may take beyond its boot time until it counts as one that never came up.
RESUME_SLACK_S = 30


class Options(Frozen):
    """A cluster, as its user described it.

    Attributes:
        nodes: How many.
        cpus: Of each node, as Slurm counts them; they share this machine's.
        cloud: Nodes are powered up when a job wants them, and down when none does.
        boot_s: Seconds that a cloud node takes to boot.
        scheduler: Slurm's SchedulerType.
        select: Slurm's SelectType: linear gives away whole nodes only.
        priority: Slurm's PriorityType.
        preempt: What becomes of the jobs of partition `low` when one of `high` wants their nodes.
        accounting: Whether slurmdbd runs, on a MariaDB of its own.
    """

    nodes: Annotated[int, Field(ge=1, le=64)] = 4
    cpus: Annotated[int, Field(ge=1, le=64)] = 2
    cloud: bool = False
    boot_s: Annotated[float, Field(ge=0, le=600)] = 2.0
    scheduler: Literal["backfill", "builtin"] = "backfill"
    select: Literal["cons_tres", "linear"] = "cons_tres"
    priority: Literal["basic", "multifactor"] = "basic"
    preempt: Literal["off", "requeue", "suspend"] = "off"
    accounting: bool = False

    @property
    def node_names(self) -> tuple[str, ...]:
        """n0, n1, …"""
        return tuple(f"n{number}" for number in range(self.nodes))

    def command(self, name: str) -> str:
        """The `perfdb cluster up` that asks for this, without what is the default anyway."""
        words = ["perfdb cluster up"]
        if name != DEFAULT_NAME:
            words.append(f"--name {name}")
        for field, value in self.model_dump(exclude_defaults=True).items():
            flag = "--" + field.replace("_", "-")
            words.append(
                flag if value is True else f"{flag} {value:g}" if isinstance(value, float) else f"{flag} {value}"
            )
        return " ".join(words)


DEFAULT_NAME = "pocket"
