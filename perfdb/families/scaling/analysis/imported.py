"""The cells and runs of records that were imported from a runbook's files. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from perfdb.families.scaling.analysis.cells import Cell, Criterion
from perfdb.families.scaling.analysis.deployments import Measured
from perfdb.record import Record

NO_INSTANTS = "imported without instants, so which run a load is of cannot be told"
NO_LOAD = "imported, and they do not say what was asked for"


def runs_of(records: Sequence[Record]) -> tuple[list[Measured], dict[str, list[str]]]:
    """The runs that imported records are the loads of, and the ids of those that are none's, by why.

    An import makes a record of each load and wait. Those of one source, service and machine are one run, as long as none of
    them comes twice: a grid that was gone through again, or another deployment's, is a run of its own.

    Args:
        records: Imported ones, each a load and a wait with all its repetitions.
    """
    groups: dict[tuple[str, ...], list[Record]] = {}
    left: dict[str, list[str]] = {}
    for record in records:
        if not cells_of(record):
            left.setdefault(NO_LOAD, []).append(record.record_id)
            continue
        groups.setdefault(_source(record), []).append(record)
    runs: list[Measured] = []
    for group in groups.values():
        instants = [(record.started_at, _place(record)) for record in group]
        begun = [at for at, _ in instants]
        if len({place for _, place in instants}) < len(instants) and len(set(begun)) < len(begun):
            left.setdefault(NO_INSTANTS, []).extend(record.record_id for record in group)
            continue
        runs += map(_run, _in_turn(sorted(group, key=lambda record: (record.started_at, record.record_id))))
    return runs, left


def _source(record: Record) -> tuple[str, ...]:
    said = (record.params.get(name) for name in ("mode", "service", "hardware"))
    source = (record.origin.source or "").partition("#")[0]
    return (record.experiment, record.environment.machine, source, *map(str, said))


def _place(record: Record) -> tuple[object, object]:
    return record.params.get("num_requests"), record.params.get("wait_seconds")


def _in_turn(records: Sequence[Record]) -> list[list[Record]]:
    """A new run begins where a load and wait comes again."""
    runs: list[list[Record]] = [[]]
    for record in records:
        if _place(record) in map(_place, runs[-1]):
            runs.append([])
        runs[-1].append(record)
    return runs


def _run(records: Sequence[Record]) -> Measured:
    first = records[0]
    cells = tuple(cell for record in records for cell in cells_of(record))
    source = (first.origin.source or "").partition("#")[0]
    kind = first.origin.source_kind or "unknown"
    mode, service = first.params.get("mode"), first.params.get("service")
    machine = first.environment.machine
    return Measured(
        records=tuple(record.record_id for record in records),
        name=f"imported ({kind}): {source or first.run_name} on {machine}",
        services=(str(service),) if service else (),
        kind=f"imported ({kind}), {mode}, from {machine}",
        imported=True,
        hosts=max(1, *(cell.unique_hosts or 0 for cell in cells)),
        cells=cells,
        criterion=Criterion(),
        unit="sessions",
        sessions={},
    )


def cells_of(record: Record) -> tuple[Cell, ...]:
    """One cell a repetition; none of a record that does not say what was asked for, or how many succeeded.

    The load is the number of requests, which the runbook's program begins at once. A repetition some of which succeeded,
    and of which no p99 is known, says nothing.
    """
    load, wait = record.params.get("num_requests"), record.params.get("wait_seconds")
    good, bad = _values(record, "successful_requests"), _values(record, "failed_requests")
    asked = [value for value in (load, wait) if isinstance(value, int | float) and value >= 0]
    if len(asked) < 2 or not asked[0] or len(good) != len(bad):
        return ()
    numbers = {
        "p50_s": _values(record, "recomputed_total_p50_s") or _values(record, "total_p50_s"),
        "p95_s": _values(record, "recomputed_total_p95_s") or _values(record, "total_p95_s"),
        "p99_s": _values(record, "recomputed_total_p99_s") or _values(record, "total_p99_s"),
        "sessions_per_s": _values(record, "requests_per_s"),
    }
    hosts = _values(record, "unique_hosts")
    cells = []
    for place, (successes, failures) in enumerate(zip(good, bad, strict=True)):
        known = {name: _at(values, place, len(good)) for name, values in numbers.items()}
        seen = _at(hosts, place, len(good))
        told = successes + failures > 0 and (known["p99_s"] is not None or not successes)
        cells.append(
            Cell(
                load=asked[0],
                wait_s=asked[1],
                repetition=place + 1,
                success_share=successes / (successes + failures) if successes + failures else 0.0,
                unique_hosts=None if seen is None else round(seen),
                valid=told and record.status != "invalid",
                **known,
            )
        )
    return tuple(cells)


def _values(record: Record, name: str) -> Sequence[float]:
    """What cannot be, such as a negative count, is not believed."""
    metric = record.metric(name)
    return metric.all_values if metric and min(metric.all_values) >= 0 else ()


def _at(values: Sequence[float], place: int, count: int) -> float | None:
    """Values are one a repetition; else nobody knows whose they are."""
    return values[place] if len(values) == count else None
