"""What each metric of an autoscale run is."""

from perfdb.families.autoscale.milestones import CHAIN
from perfdb.record import MetricDefinition

# What their names begin with, by the kind of round.
PREFIXES = {"cold": "", "warm": "warm_"}
ORDINALS = range(1, 9)
STATISTICS = ("min", "mean", "median", "p95", "max")
_ROUNDS = {
    "cold": "cold rounds: where the platform powers nodes on demand, none was up",
    "warm": "warm rounds, which began while the nodes were still up",
}
_CLOCK = (
    "clock: the submit host's, to which a node's is brought by its measured offset; limited by that offset's uncertainty, "
    "microseconds where both are one host"
)
_BY_SCHEDULER = "limited by the scheduler's times, 1 s, or 1 ms where its own log is at hand"
_RESOLUTIONS = {
    "job_pending": _BY_SCHEDULER,
    "job_allocated": _BY_SCHEDULER,
    "power_up_asked": _BY_SCHEDULER,
    "node_booted": _BY_SCHEDULER,
    "script_started": f"limited by {_BY_SCHEDULER.removeprefix('limited by ')}, where they tell what was before it",
    "pool_started": "limited by the kernel's clock ticks, 10 ms",
    "manager_registered": "limited by 10 ms: what was before it is known by the kernel's clock ticks",
}
# Clocks that are wrong make an invalid record, whose numbers are kept all the same.
_WRONG_CLOCK_S = -1e6


def _of_kind(kind: str) -> dict[str, MetricDefinition]:
    start = f"the round's first task was handed to Parsl until the first task on a node began; {_CLOCK}"
    defined = {
        "acquisition_s": MetricDefinition(
            "s", "lower", f"first-start latency, from when {start}; mean over the round's nodes", _WRONG_CLOCK_S
        ),
        **{
            f"node_{n}_acquisition_s": MetricDefinition(
                "s",
                "lower",
                f"from when {start}; of the node that was number {n} of its round to start one",
                _WRONG_CLOCK_S,
            )
            for n in ORDINALS
        },
        **{
            f"acquisition_{statistic}_s": MetricDefinition(
                "s",
                "lower",
                f"{_STATISTIC[statistic]} of first-start latency over all nodes of all rounds; {_CLOCK}",
                _WRONG_CLOCK_S,
            )
            for statistic in STATISTICS
        },
        "seed_acquisition_s": MetricDefinition(
            "s",
            "lower",
            "for comparison with figures that took a task's completion for a node's start: from the submission of the first "
            "task, in order of submission, that ran on a node until a loop over the results in that order had its result; "
            "mean over the round's nodes; clock: the submit host's, microseconds",
            _WRONG_CLOCK_S,
        ),
        **{
            f"stage_{milestone.name}_s": MetricDefinition(
                "s",
                "lower",
                f"until {milestone.definition}; from the latest milestone known before it, 0 where they overlapped; mean over "
                f"the round's nodes; {_RESOLUTIONS.get(milestone.name, _CLOCK)}",
            )
            for milestone in CHAIN[1:]
        },
        "acquired_nodes": MetricDefinition("nodes", "none", "worker pools that ran a task, in a round"),
        "censored_blocks": MetricDefinition(
            "blocks", "lower", "blocks of a round with a node that ran no task; they are in the samples with ordinal 0"
        ),
        "idle_to_cancel_s": MetricDefinition(
            "s",
            "lower",
            "of a block, from the end of the last task on it until provider.cancel was called for it: Parsl's max_idletime, and "
            f"how often its strategy looks and, with strategy simple, the wait for the other blocks' last tasks; mean over the round's blocks; {_CLOCK}",
        ),
        "cancel_to_release_s": MetricDefinition(
            "s",
            "lower",
            "of a block, from the call of provider.cancel until its job was over and its nodes given back, or until "
            f"provider.cancel returned where there is no scheduler to tell; without slurmctld's log, Slurm's EndTime: the nodes are given "
            f"back up to its KillWait and epilog later; mean over the round's blocks; {_BY_SCHEDULER}",
        ),
        "node_s_allocated": MetricDefinition(
            "node-s",
            "lower",
            "node-seconds that the round's blocks held, from the allocation of their jobs to the release, idle, booting and all; "
            f"from submission to cancellation where there is no scheduler, none where a job was requeued; {_BY_SCHEDULER}",
        ),
        "node_s_used": MetricDefinition(
            "node-s",
            "none",
            "node-seconds of the round with at least one task running; clock: each node's own, monotonic",
        ),
        "node_use_share": MetricDefinition("1", "higher", "node_s_used over node_s_allocated, of a round"),
    }
    return {
        f"{PREFIXES[kind]}{name}": MetricDefinition(
            d.unit, d.direction, f"{d.definition}; {_ROUNDS[kind]}", d.least, d.most
        )
        for name, d in defined.items()
    }


_STATISTIC = {
    "min": "the least",
    "mean": "mean",
    "median": "median",
    "p95": "95th percentile, from 20 nodes on,",
    "max": "the greatest",
}
METRICS = {**_of_kind("cold"), **_of_kind("warm")}
HEADLINE = (
    "acquisition_s",
    "node_1_acquisition_s",
    "node_2_acquisition_s",
    "node_3_acquisition_s",
    "warm_acquisition_s",
    "seed_acquisition_s",
    "stage_job_allocated_s",
    "stage_node_booted_s",
    "idle_to_cancel_s",
    "cancel_to_release_s",
    "node_use_share",
    "acquired_nodes",
)
