"""A table of LAMMPS jobs under several schedulers: one record per scheduler and experiment, one value a job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from perfdb.errors import UsageError
from perfdb.record import Finding
from perfdb.redaction import Redactor
from perfdb.registry.importers.building import Draft, build, given_day, with_spread
from perfdb.registry.importers.definitions import FLUENCE, SCHEDULERS
from perfdb.registry.importers.imported import Options, Part, Skipped
from perfdb.registry.importers.names import Scrub, number_of, run_name_of
from perfdb.registry.importers.reading import Unreadable, rows_of

_CELL = ("scheduler", "experiment")
_CONSTANT = ("size", "ranks", "x", "y", "z")
_TIMES = {"total_time": "total_time_s", "wall_time": "wall_time_s"}
_NEEDED = {*_CELL, "total_time"}


def read_table(path: Path, options: Options) -> Iterator[Part]:
    """Every cell of the table.

    Raises:
        UsageError: it is no such table, or no day was given: the table has none.
    """
    try:
        names, rows = rows_of(path)
    except Unreadable as error:
        raise UsageError(
            f"{path.name} cannot be imported: {error}. Give a table as the LAMMPS runs made it."
        ) from error
    if missing := sorted(_NEEDED - set(names)):
        raise UsageError(
            f"{path.name} is no table of jobs under schedulers: it has no column {', '.join(missing)}. "
            "For tables of other columns there is `perfdb import csv`, with a mapping file."
        )
    given_day(options, path.name)
    cells: dict[tuple[str, str], list[tuple[int, dict[str, str]]]] = {}
    for line, row in rows:
        if row is None:
            yield Skipped(f"{path.name} line {line}", "it has another number of fields than the first line")
        elif (fault := _fault(row)) is not None:
            yield Skipped(f"{path.name} line {line}", fault)
        else:
            cells.setdefault((row["scheduler"], row["experiment"]), []).append((line, row))
    largest = max((len(jobs) for jobs in cells.values()), default=0)
    for cell, jobs in sorted(cells.items()):
        yield _record(path.name, cell, [row for _, row in jobs], largest, options)


def _fault(row: dict[str, str]) -> str | None:
    for name in (name for name in _TIMES if name in row):
        value = number_of(row[name])
        if value is None or value < 0:
            return f"{name} is no number of seconds"
    if not all(row[name].strip() for name in _CELL):
        return "it names no scheduler or no experiment"
    return None


def _record(name: str, cell: tuple[str, str], rows: list[dict[str, str]], largest: int, options: Options) -> Part:
    scrub = Scrub(Redactor(identity=options.identity))
    started, ended, tags = given_day(options, name)
    columns = [column for column in _TIMES if column in rows[0]]
    times = {_TIMES[column]: [float(row[column]) for row in rows] for column in columns}
    address = scrub.text(f"{name}#{cell[0]}/{cell[1]}")
    constant = {key: rows[0][key] for key in _CONSTANT if key in rows[0]}
    if any({key: row[key] for key in constant} != constant for row in rows):
        return Skipped(address, f"its rows differ in {', '.join(constant)}, so they are not one experiment")
    kept = [{key: text for key, text in row.items() if key} for row in rows]  # the nameless one counts rows
    missing = largest - len(rows)
    return build(
        Draft(
            kind=FLUENCE,
            address=address,
            content={"date": str(options.date), "rows": kept},
            kept={"rows": scrub.document(kept)},
            family="schedulers",
            experiment=options.experiment or "schedulers",
            machine=options.machine or f"imported-{FLUENCE}",
            run_name=run_name_of(scrub.text(" ".join(cell)), "jobs"),
            started_at=started,
            ended_at=ended,
            params={
                **{key: scrub.text(text) for key, text in zip(_CELL, cell, strict=True)},
                **{key: scrub.scalar(key, text) for key, text in constant.items()},
                "jobs": len(rows),
            },
            scheduler=scrub.text(cell[0]),
            metrics=[metric for key, values in times.items() for metric in with_spread(key, values, SCHEDULERS)],
            findings=[missing_jobs(missing, f"{len(rows)} jobs here, {largest} in the largest cell of the same table")]
            if missing
            else [],
            tags=tags,
            samples={"job": list(range(len(rows))), **times},
        )
    )


def missing_jobs(count: int, evidence: str) -> Finding:
    """Jobs that left no result: means over the others flatter whoever lost them."""
    return Finding(name="jobs_missing", value=str(count), evidence=evidence)
