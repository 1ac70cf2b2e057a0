"""What is worth a look in autoscale runs."""

from perfdb.families.autoscale.metrics import PREFIXES
from perfdb.families.autoscale.milestones import CHAIN
from perfdb.families.charts import ChartDescription, RepetitionsChart, SamplesChart, StagesChart

_STAGES = {
    "scale_out_decided": "Parsl decides",
    "submit_returned": "job submitted",
    "job_pending": "job taken",
    "job_allocated": "nodes allocated",
    "power_up_asked": "power-up asked for",
    "node_booted": "node boots",
    "script_started": "job script starts",
    "pool_started": "worker_init, pool starts",
    "manager_registered": "manager registers",
    "first_task_started": "first task starts",
    "first_task_ended": "first task runs",
    "result_received": "result comes back",
}
# As many curves as a reader tells apart.
_CURVES = (
    "submit_returned",
    "job_allocated",
    "node_booted",
    "script_started",
    "manager_registered",
    "first_task_started",
    "result_received",
)


def _milestones(kind: str) -> SamplesChart:
    return SamplesChart(
        f"{kind}-milestones",
        f"When each milestone was reached, {kind} rounds",
        "The share of nodes that had come so far, by the seconds since the round's first task was submitted.",
        "value_s",
        "s",
        by="quantity",
        labels={name: _STAGES[name] for name in _CURVES},
        only=True,
        where={"kind": kind},
        quantity="since the first task was submitted",
    )


CHARTS: tuple[ChartDescription, ...] = (
    StagesChart(
        "stages",
        "The way to a node, stage by stage",
        "What each stage adds, from a task's submission to its result from a node that was acquired for it: means over all "
        "nodes of all rounds.",
        {f"stage_{milestone.name}_s": _STAGES[milestone.name] for milestone in CHAIN[1:]},
        {"cold": PREFIXES["cold"], "warm": PREFIXES["warm"]},
    ),
    RepetitionsChart(
        "ordinals",
        "Acquisition by ordinal, round by round",
        "How long the first, second and third node of a cold round took to start a task.",
        tuple(f"node_{n}_acquisition_s" for n in (1, 2, 3, 4)),
    ),
    RepetitionsChart(
        "acquisition",
        "Acquisition, cold and warm",
        "What a node costs that must boot, what one costs that is up, and what counting completions makes of the first.",
        ("acquisition_s", "warm_acquisition_s", "seed_acquisition_s"),
    ),
    _milestones("cold"),
    _milestones("warm"),
)
