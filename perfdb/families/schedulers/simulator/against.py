"""Simulated against measured: the makespan of a list under a policy, and what a real arm took for the same list. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from perfdb.families.schedulers.arms import Arm
from perfdb.families.schedulers.arms import Policy as Name
from perfdb.families.schedulers.measures.machine import makespan_s, makespans
from perfdb.families.schedulers.outcome import ArmRun
from perfdb.families.schedulers.plan import Delays
from perfdb.families.schedulers.simulator.policies import POLICIES
from perfdb.families.schedulers.simulator.simulate import simulate

_FOR_EVER_S = 1e9


@dataclass(frozen=True)
class Against:
    """One arm and one list.

    Attributes:
        policy: What was simulated in place of the arm.
        simulated_s: The makespan that the simulator tells.
        measured_s: Those of the arm, each time that it got the list, in ascending order.
    """

    policy: Name
    simulated_s: float
    measured_s: tuple[float, ...]

    @property
    def off_percent(self) -> float:
        """By how much the simulated makespan is above the median of the measured ones."""
        return 100.0 * (self.simulated_s / median(self.measured_s) - 1.0)


def against(runs: Sequence[ArmRun], policy: Name, delays: Delays) -> Against:
    """Play the list that an arm got through the simulator, on as many nodes, and set the makespans side by side.

    Args: runs: One for each iteration, of one arm; at least one.

    Raises:
        ValueError: the arm finished the list not once.
    """
    took = sorted(took for run in runs for took in makespans(run.outcomes).values() if took is not None)
    if not took or took[0] <= 0:
        raise ValueError("it never finished the list, so there is no makespan to compare with")
    jobs = [outcome.work for outcome in runs[0].outcomes if outcome.batch == 1]
    simulated_s = makespan_s([*simulate(jobs, runs[0].nodes, POLICIES[policy], delays, _FOR_EVER_S)])
    if simulated_s is None:
        raise ValueError("a job of the list asks for more nodes than there are")
    return Against(policy, simulated_s, tuple(took))


def policy_of(arm: Arm) -> Name | None:
    """Which policy stands for an arm; None where nobody says what the scheduler does.

    Slurm's `sched/builtin` is `fifo`, and its `sched/backfill` is taken for `easy`; a preemption is nothing that is simulated.
    """
    options = dict(arm.options)
    if arm.kind == "mini-slurm":
        return "mini-slurm"
    if arm.kind == "slurm" and options.get("preempt") == "off":
        return "easy" if options["scheduler"] == "backfill" else "fifo"
    return None
