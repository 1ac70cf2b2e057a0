"""What each metric of an elastic run is. Names begin with the arm: `off_`, `on_`, `threshold_`."""

from perfdb.families.elastic.events import CHAIN, Arm
from perfdb.families.elastic.mix import CLASSES
from perfdb.families.elastic.seen import DIRECTIONS, Direction
from perfdb.families.elastic.spec import ARMS
from perfdb.record import MetricDefinition

_CLOCK = "clock: CLOCK_MONOTONIC, which all processes of the host share, nanoseconds, told to the microsecond"
_ARMS: dict[Arm, str] = {
    "off": "with elasticity off",
    "on": "with elasticity on, jobs growing into all that is free",
    "threshold": "with elasticity on, jobs growing only while less than the threshold of the CPUs is promised",
}
_STAGES = {
    "granted": "the batch system had made the allocation another one",
    "written": "the control file said so, on disk",
    "signalled": "SIGUSR1 was sent to the job",
    "acknowledged": "the job had taken notice, by its own clock; it may read the file before the signal is sent",
    "applied": "the job worked with it: of a shrink it had let go, of a grow it had taken, by its own clock where it says so, else by "
    "the scheduler's, which made it",
}
_FREED = (
    "others could have what was given back: on Slurm when it had taken the nodes from the job, else when the job had let go, or "
    "lost them without a word of its own"
)
_CLASSES = {
    "": "all jobs",
    "elastic_": "elastic jobs",
    "rigid_": "rigid jobs",
    "urgent_": "rigid jobs of the higher priority",
}
_P99 = "99th percentile over the resizes of all repetitions, from 100 on"


def _of_arm() -> dict[str, MetricDefinition]:
    return {
        "makespan_s": MetricDefinition(
            "s", "lower", f"from the first job's arrival to the last job's end, where all completed; {_CLOCK}"
        ),
        **{
            f"{prefix}wait_s": MetricDefinition(
                "s", "lower", f"from a job's arrival until its process was begun, mean over {whose}; {_CLOCK}"
            )
            for prefix, whose in _CLASSES.items()
        },
        **{
            f"{prefix}turnaround_s": MetricDefinition(
                "s", "lower", f"from a job's arrival to its end, mean over {whose}, where all completed; {_CLOCK}"
            )
            for prefix, whose in _CLASSES.items()
        },
        "promised_share": MetricDefinition(
            "1",
            "higher",
            f"utilisation as promised: allocations summed over time, over CPUs offered times makespan; {_CLOCK}",
            0,
        ),
        "used_share": MetricDefinition(
            "1",
            "higher",
            "utilisation as used: CPU seconds of the jobs' processes, over CPUs offered times makespan; clock: the kernel's "
            "accounting of processes",
            0,
        ),
        "completed_share": MetricDefinition("1", "higher", "jobs that ended COMPLETED over jobs of the mix", 0, 1),
        "grows": MetricDefinition(
            "resizes",
            "none",
            "resizes to more CPUs that were decided, without those withdrawn or of jobs that were over",
        ),
        "shrinks": MetricDefinition(
            "resizes",
            "none",
            "resizes to fewer CPUs that were decided, without those withdrawn or of jobs that were over",
        ),
        "flaps": MetricDefinition(
            "resizes",
            "lower",
            "resizes that turned a job's resize before round, decided within the cooldown after that was",
        ),
        "lost_units": MetricDefinition(
            "units", "lower", "units of work under way that jobs dropped for resizes, and did again, as they say"
        ),
        "lost_s": MetricDefinition("s", "lower", f"worker seconds that had gone into those units; {_CLOCK}"),
        "paused_s": MetricDefinition(
            "s",
            "lower",
            "worker seconds in which a worker that a job had or could have had did no unit, from a job's notice of a resize "
            f"until it had applied it, over all resizes; {_CLOCK}",
        ),
        "cost_per_resize_s": MetricDefinition(
            "s", "lower", f"lost_s and paused_s together, over the resizes of which the job told; {_CLOCK}"
        ),
    }


def _of_reaction() -> dict[str, MetricDefinition]:
    found: dict[str, MetricDefinition] = {}
    for direction in DIRECTIONS:
        for name, what in _whats(direction).items():
            whole = f"{what}; of resizes that {direction} a job that got the signal"
            found |= {
                f"{direction}_{name}_p50_s": MetricDefinition(
                    "s", "lower", f"{whole}; median over the resizes of a repetition; {_CLOCK}"
                ),
                f"{direction}_{name}_p99_s": MetricDefinition("s", "lower", f"{whole}; {_P99}; {_CLOCK}"),
                f"{direction}_{name}_max_s": MetricDefinition(
                    "s", "lower", f"{whole}; the greatest over the resizes of all repetitions; {_CLOCK}"
                ),
            }
    return found


def _whats(direction: Direction) -> dict[str, str]:
    stages = {
        f"stage_{stage}": f"from the stage that came before it, whichever that was, until {_STAGES[stage]}"
        for stage in CHAIN[1:]
    }
    return {
        "to_acknowledged": f"reaction: from the decision until {_STAGES['acknowledged']}",
        "to_applied": f"reaction: from the decision until {_STAGES['applied']}",
        **({"to_freed": f"reaction: from the decision until {_FREED}"} if direction == "shrink" else {}),
        **stages,
    }


def _of_difference() -> dict[str, MetricDefinition]:
    return {
        f"on_less_off_{name}": MetricDefinition(
            d.unit, d.direction, f"on_{name} less off_{name} of the same repetition; {d.definition}", -1e12
        )
        for name, d in _of_arm().items()
        if name in PAIRED
    }


# Of which the differences are told, repetition by repetition.
PAIRED = (
    "makespan_s",
    "wait_s",
    "turnaround_s",
    *(f"{of}_{what}_s" for of in CLASSES for what in ("wait", "turnaround")),
    "promised_share",
    "used_share",
)
METRICS = {
    **{
        f"{arm}_{name}": MetricDefinition(d.unit, d.direction, f"{d.definition}; {_ARMS[arm]}", d.least, d.most)
        for arm in ARMS
        for name, d in {**_of_arm(), **({} if arm == "off" else _of_reaction())}.items()
    },
    **_of_difference(),
}
HEADLINE = (
    "on_makespan_s",
    "off_makespan_s",
    "threshold_makespan_s",
    "off_promised_share",
    "on_promised_share",
    "threshold_promised_share",
    "off_urgent_wait_s",
    "on_urgent_wait_s",
    "threshold_urgent_wait_s",
    "on_less_off_makespan_s",
    "on_less_off_turnaround_s",
    "on_grow_to_acknowledged_p50_s",
    "on_shrink_to_acknowledged_p50_s",
    "on_shrink_to_freed_p50_s",
    "on_cost_per_resize_s",
)
