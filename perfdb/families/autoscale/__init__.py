"""Node acquisition: how long a Parsl workload that scales from zero waits for each node, stage by stage."""

from __future__ import annotations

from perfdb.families.autoscale.assemble import assemble
from perfdb.families.autoscale.charts import CHARTS
from perfdb.families.autoscale.measure import child_count, fits, measure
from perfdb.families.autoscale.metrics import HEADLINE, METRICS
from perfdb.families.autoscale.progress import progress
from perfdb.families.autoscale.spec import AutoscaleSpec
from perfdb.families.autoscale.summarise import summarise
from perfdb.families.base import Family
from perfdb.record import Metric, Record


def _nothing_derived(_: Record) -> tuple[Metric, ...]:
    """Every metric comes of the events' rows. Named, for a validator's second process is sent it by name."""
    return ()


FAMILY = Family(
    name="autoscale",
    purpose="Measure how long nodes take to come, stage by stage.",
    spec=AutoscaleSpec,
    subject=None,
    examples=("parsl-configs/slurm_pocket.py --rounds 5", "parsl-configs/local_htex.py --blocks 2"),
    overrides=lambda spec: spec.overrides(),
    fits=fits,
    measure=measure,
    child_count=child_count,
    assemble=assemble,
    metrics=METRICS,
    headline=HEADLINE,
    charts=CHARTS,
    progress=lambda _: progress,
    summarise=summarise,
    derive=_nothing_derived,
    implied=frozenset(METRICS),
)
