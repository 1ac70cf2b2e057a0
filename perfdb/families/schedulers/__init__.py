"""Scheduler against scheduler, like for like."""

from __future__ import annotations

from perfdb.families.base import Family, Outputs
from perfdb.families.schedulers.assemble import assemble
from perfdb.families.schedulers.charts import CHARTS
from perfdb.families.schedulers.completion import arms
from perfdb.families.schedulers.judge.agreement import contradictions
from perfdb.families.schedulers.measure import child_count, measure
from perfdb.families.schedulers.metrics import HEADLINE, METRICS
from perfdb.families.schedulers.outputs import FILES, outputs
from perfdb.families.schedulers.progress import progress
from perfdb.families.schedulers.shown import shown
from perfdb.families.schedulers.spec import KUBERNETES_FILE, SchedulersSpec
from perfdb.families.schedulers.subject import SUBJECT
from perfdb.families.schedulers.summarise import summarise
from perfdb.record import Metric, Record


def _nothing_derived(_: Record) -> tuple[Metric, ...]:
    """Every metric comes of the samples."""
    return ()


FAMILY = Family(
    name="schedulers",
    purpose="Measure scheduler against scheduler on the same jobs.",
    spec=SchedulersSpec,
    subject=SUBJECT,
    unkept={"kubernetes": KUBERNETES_FILE},
    examples=(
        "clog --arms slurm:backfill,slurm:builtin+linear",
        "size-2-3 --arms slurm:backfill,mini-slurm --iters 6",
        "mixed --arms slurm:backfill,simulated:easy --load 1.1 --jobs 40",
        "trace.swf --arms simulated:fifo,simulated:easy --nodes 128 --iters 1 --output-dir results",
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
    outputs=Outputs(FILES, outputs),
    summarise=summarise,
    derive=_nothing_derived,
    agrees=contradictions,
    implied=frozenset(METRICS),
    completes={"arms": arms},
    goes_on=True,
)
