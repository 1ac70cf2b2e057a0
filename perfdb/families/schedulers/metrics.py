"""What each metric of a run is. Names begin with the arm's place in `--arms`: `arm1_`, `arm2_`, …; the spec names the arms.

What a simulated arm has part in begins with `simulated_`, so that no table, chart or page can show it as if it were measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from perfdb.families.schedulers.arms import MOST_ARMS
from perfdb.families.schedulers.measures.figures import OF_RUN_TIMES
from perfdb.families.schedulers.measures.spans import THRESHOLD_S
from perfdb.record import MetricDefinition

_CLOCK = (
    "clock: the scheduler's, and of what a job stamps itself its node's; of a simulated arm a clock that counts from 0"
)
_BEGAN = "its program began, by the job's own stamp where it has one, else as the scheduler says"
_OVER = "its program was over, by the job's own stamp where it has one, else as the scheduler says"
_ALL = "stated where every job came to its planned end: it completed, or met a limit that its list put at or before its end"
_MEDIAN = (
    "median over the jobs; one that was cut off counts as longer than it was watched, and the median is left out where that "
    "does not settle it"
)
_NO_SUSPENDED = "not stated of an arm that suspends jobs, of which nobody knows how long they ran"
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth")
_PARTS: Mapping[str, tuple[str, Literal["lower", "none"]]] = {
    "queue": ("from submission until its nodes were allocated", "lower"),
    "startup": (f"from the allocation until {_BEGAN}", "lower"),
    "run": (f"from when it began until {_OVER}", "none"),
    "release": ("from the end of its program until its nodes were free again", "lower"),
}


def _seconds(text: str) -> MetricDefinition:
    return MetricDefinition("s", "lower", f"{text}; {_CLOCK}")


def _of_arm() -> dict[str, MetricDefinition]:
    found = _defined()
    return {
        name: replace(d, definition=f"{d.definition}; {_NO_SUSPENDED}") if name in OF_RUN_TIMES else d
        for name, d in found.items()
    }


def _defined() -> dict[str, MetricDefinition]:
    wait = f"from a job's submission until {_BEGAN}"
    turnaround = f"from a job's submission until {_OVER}"
    return {
        "makespan_s": _seconds(
            f"from the first job's submission to the last one's end; of several batches their mean; {_ALL}"
        ),
        "wait_s": _seconds(
            f"{wait}; of a job that was requeued, until it began for the last time; mean over the jobs, where every one began"
        ),
        "wait_p50_s": _seconds(f"{wait}; {_MEDIAN}"),
        "turnaround_s": _seconds(f"{turnaround}; mean over the jobs; {_ALL}"),
        "turnaround_p50_s": _seconds(f"{turnaround}; {_MEDIAN}"),
        "total_time_s": _seconds(
            "from a job's submission to the end of its program, both as the scheduler has them, waiting and start-up included: "
            f"submit -> end; mean over the jobs; {_ALL}"
        ),
        "bounded_slowdown": MetricDefinition(
            "1",
            "lower",
            f"turnaround over run time, of which at least {THRESHOLD_S:g} s are taken, and no less than 1 (Feitelson 2001); mean "
            f"over the jobs; {_ALL}; {_CLOCK}",
            1.0,
        ),
        "utilisation": MetricDefinition(
            "1",
            "higher",
            f"nodes times run time, summed over the jobs, over the scheduler's nodes times the makespan; {_ALL}; {_CLOCK}",
            0.0,
        ),
        "held_idle_node_s": MetricDefinition(
            "node-s",
            "lower",
            "node-seconds that nodes were allocated to jobs whose programs had not begun or were over, summed over the jobs; "
            f"{_ALL}; {_CLOCK}",
        ),
        "jain_users": MetricDefinition("1", "higher", _jain("users"), 0.0, 1.0 + 1e-9),
        "jain_sizes": MetricDefinition("1", "higher", _jain("sizes, which are numbers of nodes"), 0.0, 1.0 + 1e-9),
        "completed_share": MetricDefinition(
            "1", "higher", "jobs that ended COMPLETED over all jobs of the list", 0.0, 1.0
        ),
        "longest_clog_s": _seconds(
            "the longest time since the last start while jobs waited, or since one came to an empty queue, as far as it was "
            "watched; 0 where none waited"
        ),
        **{
            f"{part}_part_s": MetricDefinition("s", better, f"of a job: {what}; mean over the jobs; {_ALL}; {_CLOCK}")
            for part, (what, better) in _PARTS.items()
        },
        **{
            f"{part}_node_s": MetricDefinition(
                "node-s",
                better,
                f"of a job: {what}, times the nodes it asked for; summed over the jobs; {_ALL}; {_CLOCK}",
            )
            for part, (what, better) in _PARTS.items()
        },
    }


def _jain(groups: str) -> str:
    return (
        f"Jain's index, (sum of x)^2 / (n * sum of x^2), over {groups}, of each its jobs' mean bounded slowdown (Jain, Chiu and "
        f"Hawe 1984); stated of two and more; {_ALL}; {_CLOCK}"
    )


OF_ARM = _of_arm()
# Of which the differences to the first arm are told, iteration by iteration.
PAIRED = tuple(
    name for name in OF_ARM if not name.endswith("_part_s") and name not in {f"{part}_node_s" for part in _PARTS}
)


def of_arm(place: int, figure: str, *, is_simulated: bool) -> str:
    """The metric that has that figure of OF_ARM, of the arm at that place."""
    return f"{_SIMULATED if is_simulated else ''}arm{place}_{figure}"


def of_difference(place: int, figure: str, *, is_simulated: bool) -> str:
    """The metric that has by how much that arm's figure of PAIRED is above the first arm's; simulated where either is."""
    return of_arm(place, f"less_arm1_{figure}", is_simulated=is_simulated)


_SIMULATED = "simulated_"
_BY_THE_SIMULATOR: Mapping[bool, str] = {False: "", True: "; simulated, not measured"}


def _metrics() -> Iterator[tuple[str, MetricDefinition]]:
    for is_simulated, said in _BY_THE_SIMULATOR.items():
        for place in range(1, MOST_ARMS + 1):
            for figure, d in OF_ARM.items():
                text = f"{d.definition}; of the {_PLACES[place - 1]} arm that --arms names{said}"
                yield (
                    of_arm(place, figure, is_simulated=is_simulated),
                    MetricDefinition(d.unit, d.direction, text, d.least, d.most),
                )
        for place in range(2, MOST_ARMS + 1):
            for figure in PAIRED:
                d = OF_ARM[figure]
                text = f"arm{place}_{figure} less arm1_{figure} of the same iteration{said}; {d.definition}"
                yield (
                    of_difference(place, figure, is_simulated=is_simulated),
                    MetricDefinition(d.unit, d.direction, text, -1e12),
                )


METRICS = dict(_metrics())
_FIRST = ("makespan_s", "wait_s", "turnaround_s")
_NEXT = ("bounded_slowdown", "utilisation", "held_idle_node_s", "jain_users", "completed_share")
HEADLINE = tuple(
    name
    for figure in (*_FIRST, *_NEXT)
    for measured in (
        *(f"arm{place}_{figure}" for place in range(1, MOST_ARMS + 1)),
        *(f"arm{place}_less_arm1_{figure}" for place in range(2, MOST_ARMS + 1) if figure in _FIRST),
    )
    for name in (measured, _SIMULATED + measured)
)
