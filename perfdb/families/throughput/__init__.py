"""parsl-perf's throughput by iteration and repetition, and task latencies by a probe."""

from __future__ import annotations

import re

from perfdb.families.base import Family
from perfdb.families.throughput.assemble import assemble
from perfdb.families.throughput.charts import CHARTS
from perfdb.families.throughput.derive import DERIVED, derive
from perfdb.families.throughput.latency import SUMMARISED, summarise
from perfdb.families.throughput.measure import measure
from perfdb.families.throughput.metrics import HEADLINE, METRICS
from perfdb.families.throughput.spec import ThroughputSpec

_TELLING = re.compile(r"==== Iteration (\d+) ====|Tasks per second: (\d+(?:\.\d+)?)$|Will run (\d+) tasks")


def _progress(line: str) -> str | None:
    match = _TELLING.match(line)
    if match is None:
        return None
    iteration, rate, tasks = match.groups()
    if iteration:
        return f"iteration {iteration}"
    return f"{tasks} tasks" if tasks else f"{float(rate):,.0f} tasks/s"


FAMILY = Family(
    name="throughput",
    purpose="Measure tasks per second, as parsl-perf does.",
    spec=ThroughputSpec,
    subject=None,
    examples=(
        "parsl-configs/local_htex.py --time 5",
        "slurm_hopper --reps 10 --timeout 3600 --machine hopper",
    ),
    overrides=lambda _: {},
    fits=lambda _, __: None,
    measure=measure,
    child_count=lambda spec: int(spec.reps) + bool(spec.probe),
    assemble=assemble,
    metrics=METRICS,
    headline=HEADLINE,
    charts=CHARTS,
    progress=lambda _: _progress,
    summarise=summarise,
    derive=derive,
    implied=DERIVED | SUMMARISED,
)
