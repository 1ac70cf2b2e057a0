"""Any table, with a mapping file that says what its columns are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from perfdb.errors import UsageError
from perfdb.record import Metric, canonical_bytes
from perfdb.redaction import Redactor
from perfdb.registry.importers.building import INSTANTS, Draft, build, given_day, instant_of_text
from perfdb.registry.importers.definitions import CSV
from perfdb.registry.importers.imported import Options, Part, Skipped
from perfdb.registry.importers.mapping import TableMapping, load_mapping
from perfdb.registry.importers.names import Scrub, label_of, number_of, run_name_of, tags_of
from perfdb.registry.importers.reading import Unreadable, existing, rows_of

Row = Mapping[str, str]
Rows = list[tuple[int, Row]]


def read(source: str, options: Options) -> Iterator[Part]:
    """One record per row, or per group of rows that the mapping calls repetitions.

    Raises:
        UsageError: there is no mapping, or it does not fit; the table can't be read, or has no instants and no --date was
            given.
    """
    if options.mapping is None:
        raise UsageError(
            "a table needs a mapping file that says what its columns are: add --mapping FILE.toml. "
            "docs/how-to/import.md has an example."
        )
    mapping = load_mapping(options.mapping)
    path = existing(source)
    try:
        names, rows = rows_of(path, mapping.delimiter)
    except Unreadable as error:
        raise UsageError(
            f"{path.name} cannot be imported: {error}. Give a table whose first line names its columns."
        ) from error
    if missing := sorted(set(mapping.used) - set(names)):
        raise UsageError(
            f"the mapping names columns that {path.name} lacks: {', '.join(missing)[:500]}. It has "
            f"{', '.join(names)[:500]}. Mend the mapping."
        )
    if mapping.columns.start is None:
        given_day(options, path.name)
    groups: dict[tuple[str, ...], Rows] = {}
    for line, row in rows:
        if row is None:
            yield Skipped(f"{path.name} line {line}", "it has another number of fields than the first line")
        elif (fault := _fault(row, mapping)) is not None:
            yield Skipped(f"{path.name} line {line}", fault)
        else:
            key = tuple(row[column] for column in mapping.group_by) or (str(line),)
            groups.setdefault(key, []).append((line, row))
    # Of equal rows each is a run, and the same one again wherever in the table it stands the next time.
    copies: Counter[tuple[str, ...]] = Counter()
    for group in groups.values():
        first = tuple(group[0][1].values())
        yield _record(path, group, mapping, options, copies[first])
        copies[first] += 1


def _fault(row: Row, mapping: TableMapping) -> str | None:
    for metric in mapping.metrics.values():
        if number_of(row[metric.column]) is None:
            return f"{metric.column} is no finite number"
    length = number_of(row[mapping.columns.duration_s]) if mapping.columns.duration_s is not None else 0
    if length is None or not 0 <= length <= 1e9:
        return f"{mapping.columns.duration_s} is no number of seconds"
    if mapping.columns.start is not None:
        began = instant_of_text(row[mapping.columns.start])
        if began is None:
            return f"{mapping.columns.start} is no instant: neither {INSTANTS}"
        try:
            began + timedelta(seconds=length)
        except OverflowError:
            return f"{mapping.columns.duration_s} leads past the year 9999"
    return None


def _record(path: Path, group: Rows, mapping: TableMapping, options: Options, copy: int) -> Part:
    scrub = Scrub(Redactor(identity=options.identity))
    columns = mapping.columns
    rows = [row for _, row in group]
    first = rows[0]
    address = scrub.text(f"{path.name}#line-{group[0][0]}")
    if differing := [c for c in columns.params if any(row[c] != first[c] for row in rows)]:
        return Skipped(
            f"{path.name} line {group[0][0]}",
            f"its repetitions differ in {', '.join(differing)}: add that to `group_by`, or take it from `params`",
        )
    durations = [float(row[columns.duration_s]) for row in rows] if columns.duration_s else []
    tags = {name: scrub.named(name, first[name]) for name in columns.tags if all(r[name] == first[name] for r in rows)}
    try:
        if columns.start is None:
            began, ended, note = given_day(options, path.name, sum(durations))
            tags |= note
        else:
            instants = [found for row in rows if (found := instant_of_text(row[columns.start])) is not None]
            began = min(instants)
            lengths = durations or [0.0] * len(rows)
            ended = max(at + timedelta(seconds=length) for at, length in zip(instants, lengths, strict=True))
    except OverflowError:
        return Skipped(f"{path.name} line {group[0][0]}", f"{columns.duration_s} leads past the year 9999")
    machine = options.machine or f"imported-{CSV}"
    if columns.machine is not None and options.machine is None:
        machine = label_of(scrub.text(first[columns.machine]), machine)
    what = mapping.model_dump(mode="json")
    return build(
        Draft(
            kind=CSV,
            address=address,
            content={"mapping": what, "rows": sorted(rows, key=canonical_bytes), "copy": copy}
            | ({"date": str(options.date)} if columns.start is None else {}),
            kept={"mapping": scrub.document(what), "rows": scrub.document(rows)},
            family=mapping.family,
            experiment=options.experiment or mapping.experiment or mapping.family,
            machine=machine,
            run_name=run_name_of(scrub.text(first[columns.name] if columns.name else path.stem), "run"),
            started_at=began,
            ended_at=ended,
            params={scrub.text(name): scrub.scalar(name, first[name]) for name in columns.params},
            metrics=[
                Metric(name=name, unit=metric.unit, direction=metric.direction, values=values)
                if len(values) > 1
                else Metric(name=name, unit=metric.unit, direction=metric.direction, value=values[0])
                for name, metric in mapping.metrics.items()
                for values in [tuple(float(row[metric.column]) for row in rows)]
            ],
            tags=tags_of(tags),
        )
    )
