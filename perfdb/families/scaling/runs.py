"""A record of this family as what its loads say. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from perfdb.families.scaling.analysis.cells import Cell
from perfdb.families.scaling.analysis.deployments import Measured
from perfdb.families.scaling.analysis.kinds import kind_of
from perfdb.families.scaling.assemble import cells_of, hosts_of
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.record import Record


def spec_of(record: Record) -> ScalingSpec:
    """What was asked for.

    Raises:
        ValueError: it is what no run can be asked for.
    """
    return ScalingSpec.model_validate({k: v for k, v in record.spec.items() if k in ScalingSpec.model_fields})


def measured(record: Record, samples: Mapping[str, Sequence[object]]) -> Measured:
    """The record's loads.

    Raises:
        ValueError: it asks for what no run can be asked for, or a row of its samples is none that a run could have.
        KeyError: the samples lack a column.
    """
    spec = spec_of(record)
    cells = tuple(cells_of(spec, samples))
    if not all(_was_asked_for(spec, cell) for cell in cells):
        raise ValueError("its samples tell of loads that were not asked for")
    sessions, machine = hosts_of(samples), record.environment.machine
    return Measured(
        records=(record.record_id,),
        name=f"{record.config.name if record.config else record.run_name} on {machine}",
        services=(record.config.name,) if record.config else (),
        kind=kind_of(spec, machine, str(record.params.get("service.path", "/"))),
        hosts=spec.expected_hosts or max(1, len(sessions)),
        cells=cells,
        criterion=spec.criterion,
        unit=spec.unit,
        sessions=sessions,
        latency_of="steps" if spec.judged_by == "step" else "whole sessions",
    )


def _was_asked_for(spec: ScalingSpec, cell: Cell) -> bool:
    # A child's name has six digits of the wait.
    waited = any(math.isclose(cell.wait_s, wait_s, rel_tol=1e-5) for wait_s in spec.waits)
    loaded = cell.load in spec.loads if spec.bisect_to is None else cell.load <= spec.bisect_to
    return waited and loaded
