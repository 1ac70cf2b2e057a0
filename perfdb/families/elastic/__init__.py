"""Elasticity: the same jobs with and without resizes, what that brings, how fast it is and what it costs."""

from __future__ import annotations

from perfdb.families.base import Family
from perfdb.families.elastic.assemble import assemble
from perfdb.families.elastic.charts import CHARTS
from perfdb.families.elastic.measure import child_count, measure
from perfdb.families.elastic.metrics import HEADLINE, METRICS
from perfdb.families.elastic.progress import progress
from perfdb.families.elastic.shown import shown
from perfdb.families.elastic.spec import ElasticSpec
from perfdb.families.elastic.subject import SUBJECT
from perfdb.families.elastic.summarise import summarise
from perfdb.record import Metric, Record


def _nothing_derived(_: Record) -> tuple[Metric, ...]:
    """Every metric comes of the samples."""
    return ()


FAMILY = Family(
    name="elastic",
    purpose="Measure what elastic jobs bring, and what resizes cost.",
    spec=ElasticSpec,
    subject=SUBJECT,
    examples=(
        "mini-slurm",
        "mini-slurm --reps 2 --on-shrink drop",
        "mini-slurm --cpus 8 --overcommit --work sleep --elastic-jobs 4 --rigid-jobs 6 --urgent-jobs 4",
        "mini-slurm --spec examples/elastic/many_resizes.toml",
        "slurm --spec mix.toml --cpus 4 --reps 3",
    ),
    overrides=lambda _: {},
    fits=lambda _, __: None,
    measure=measure,
    child_count=child_count,
    assemble=assemble,
    metrics=METRICS,
    headline=HEADLINE,
    charts=CHARTS,
    progress=progress,
    shown=shown,
    summarise=summarise,
    derive=_nothing_derived,
    implied=frozenset(METRICS),
)
