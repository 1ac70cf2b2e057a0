"""A service under load: how much it bears, alone and over many hosts."""

from __future__ import annotations

from perfdb.families.base import Family, Outputs
from perfdb.families.scaling.assemble import assemble
from perfdb.families.scaling.charts import CHARTS
from perfdb.families.scaling.clients import nodes as client_nodes
from perfdb.families.scaling.files.outputs import FILES, READS, outputs
from perfdb.families.scaling.measure import child_count, measure
from perfdb.families.scaling.metrics import HEADLINE, METRICS
from perfdb.families.scaling.nearby import NEARBY
from perfdb.families.scaling.progress import progress
from perfdb.families.scaling.servers.watching import UNKEPT
from perfdb.families.scaling.shown import shown
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.families.scaling.subject import SUBJECT
from perfdb.families.scaling.summarise import summarise
from perfdb.record import Metric, Record


def _nothing_derived(_: Record) -> tuple[Metric, ...]:
    """Every metric comes of the samples."""
    return ()


FAMILY = Family(
    name="scaling",
    purpose="Measure how much a service bears, on one host or many.",
    spec=ScalingSpec,
    subject=SUBJECT,
    unkept=UNKEPT,
    nodes_option="clients_on",
    nearby=NEARBY,
    either=(("n", "requests_grid"), ("wait", "wait_grid")),
    examples=(
        "http://127.0.0.1:8000 --requests-grid 32,128,512 --wait-grid 1.0,5.0 --reps 3",
        "http://127.0.0.1:8000 -n 100 --wait 0.1 --expected-hosts 3 --require-hosts",
        "http://127.0.0.1:8000 --shape open --requests-grid 300,600,900 --bisect-to 2000",
        "http://service:8000 --shape barrier --requests-grid 20000 --ramp-s 20 --clients 16 --clients-on slurm_hopper",
    ),
    overrides=lambda _: {},
    fits=lambda _, __: None,
    measure=measure,
    child_count=child_count,
    assemble=assemble,
    metrics={**METRICS, client_nodes.METRIC: client_nodes.DEFINITION},
    headline=HEADLINE,
    charts=CHARTS,
    progress=progress,
    shown=shown,
    outputs=Outputs(FILES, outputs, READS),
    summarise=summarise,
    derive=_nothing_derived,
    implied=frozenset(METRICS),
)
