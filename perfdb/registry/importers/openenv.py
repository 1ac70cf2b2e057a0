"""Load tests of an OpenEnv service: `summary.csv`, one row a repetition, and `raw.jsonl`, one line a request.

One record per mode, service, number of requests, wait and batch size. The raw lines name no repetition: they are written
repetition after repetition, so each summary row takes as many as it counts. Where the two do not add up, it is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from perfdb.errors import UsageError
from perfdb.record import Metric
from perfdb.redaction import Identity, Redactor
from perfdb.registry.importers.building import Draft, build, given_day, values_metric
from perfdb.registry.importers.definitions import OPENENV, OPENENV_COLUMNS, SCALING
from perfdb.registry.importers.imported import Options, Part, Skipped
from perfdb.registry.importers.names import Scrub, run_name_of
from perfdb.registry.importers.openenv_raw import Pseudonyms, RawRow, raw_rows, recomputed, samples_of
from perfdb.registry.importers.openenv_summary import SummaryRow, percentile_check, summary_rows
from perfdb.registry.importers.reading import existing

Row = TypeVar("Row", SummaryRow, RawRow)


@dataclass(frozen=True)
class _Cell:
    """One combination of settings, all its repetitions."""

    settings: tuple[str, ...]
    summary: list[SummaryRow]
    raw: list[list[RawRow]]


def read(source: str, options: Options) -> Iterator[Part]:
    """Every cell of a folder of results.

    Raises:
        UsageError: SOURCE holds neither file, or they tell no instant and no --date was given.
    """
    folder = existing(source)
    try:
        there = {path.name for path in folder.iterdir()}
    except NotADirectoryError:
        there = set()
    except OSError as error:
        raise UsageError(
            f"{folder.name}/ cannot be read: {error.strerror}. Give a folder that you may read."
        ) from error
    paths = {name: folder / name for name in ("summary.csv", "raw.jsonl") if name in there}
    if not paths:
        raise UsageError(
            f"{folder.name}/ holds neither summary.csv nor raw.jsonl. Give the folder of a load test's results."
        )
    faults: list[Skipped] = []
    summary = list(_kept(summary_rows(paths["summary.csv"]), faults)) if "summary.csv" in paths else []
    raw = list(_kept(raw_rows(paths["raw.jsonl"]), faults)) if "raw.jsonl" in paths else []
    hosts, services = Pseudonyms("host"), Pseudonyms("service")
    for row in summary:
        services.of(row.url)
    for line in raw:
        hosts.of(line.host_url)
    scrub = _scrub(options.identity, [*hosts.names, *services.names])
    cells, unmatched = _matched(summary, raw) if summary else (_unsummarised(raw), [])
    yield from (*faults, *unmatched)
    for cell in cells:
        yield _record(folder, cell, hosts, services, scrub, options)


def _kept(rows: Iterator[Row | Skipped], faults: list[Skipped]) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, Skipped):
            faults.append(row)
        else:
            yield row


def _scrub(here: Identity, hosts: Sequence[str]) -> Scrub:
    """Errors name the hosts that did not answer: those that the source calls hosts are masked in every text."""
    return Scrub(Redactor(identity=Identity(here.users, here.homes, (*here.hosts, *hosts), here.addresses)))


def _matched(summary: list[SummaryRow], raw: list[RawRow]) -> tuple[list[_Cell], list[Skipped]]:
    pools: dict[tuple[str, str, str], list[RawRow]] = {}
    for line in raw:
        pools.setdefault(line.settings, []).append(line)
    wanted: dict[tuple[str, str, str], int] = {}
    for row in summary:
        wanted[row.raw_settings] = wanted.get(row.raw_settings, 0) + row.requests
    faults = [
        Skipped(
            f"raw.jsonl, {' '.join(settings)}",
            f"{len(pool)} requests, where summary.csv counts {wanted.get(settings, 0)}: which repetition they belong to cannot "
            "be told, so they are left out",
        )
        for settings, pool in pools.items()
        if len(pool) != wanted.get(settings, 0)
    ]
    cells: dict[tuple[str, ...], _Cell] = {}
    taken: dict[tuple[str, str, str], int] = {}
    for row in summary:
        cell = cells.setdefault(row.settings, _Cell(row.settings, [], []))
        cell.summary.append(row)
        pool = pools.get(row.raw_settings, [])
        if pool and len(pool) == wanted[row.raw_settings]:
            start = taken.get(row.raw_settings, 0)
            taken[row.raw_settings] = start + row.requests
            cell.raw.append(pool[start : start + row.requests])
    return list(cells.values()), faults


def _unsummarised(raw: list[RawRow]) -> list[_Cell]:
    pools: dict[tuple[str, str, str], list[RawRow]] = {}
    for line in raw:
        pools.setdefault(line.settings, []).append(line)
    return [
        _Cell((settings[0], "", str(len(pool)), *settings[1:]), [], [pool]) for settings, pool in sorted(pools.items())
    ]


def _record(folder: Path, cell: _Cell, hosts: Pseudonyms, services: Pseudonyms, scrub: Scrub, options: Options) -> Part:
    mode, url, requests, wait, batch = cell.settings
    instants = [row.at for row in cell.summary if row.at] + [line.at for rep in cell.raw for line in rep if line.at]
    tags = {"clock": "the load generator's; an instant without a time zone is taken as UTC"}
    if instants:
        began, ended = min(instants), max(instants)
    else:
        began, ended, tags = given_day(options, folder.name)
    kept = [row.kept(services) for row in cell.summary]
    failed = sum(row.failed for row in cell.summary) or sum(not line.success for rep in cell.raw for line in rep)
    count = sum(row.requests for row in cell.summary) or sum(len(rep) for rep in cell.raw)
    lost = failed == count > 0
    hardware = sorted(
        {row.fields.get("hardware", "") for row in cell.summary} | {x.hardware for r in cell.raw for x in r}
    )
    settings = {"num_requests": requests, "wait_seconds": wait, "batch_size": batch}
    service = services.of(url)
    day = {} if instants else {"date": str(options.date)}
    return build(
        Draft(
            kind=OPENENV,
            address=scrub.text(f"{folder.name}#{mode}/{requests}/{wait}/{batch}{f'/{service}' if service else ''}"),
            # Of the raw lines their digest: a cell may have a hundred thousand.
            content={"summary": [row.fields for row in cell.summary], "raw": [[x.digest for x in r] for r in cell.raw]}
            | day,
            kept={"summary": scrub.document(kept), "raw": "samples.parquet" if cell.raw else None},
            family="scaling",
            experiment=options.experiment or "scaling",
            machine=options.machine or f"imported-{OPENENV}",
            run_name=run_name_of(scrub.text(f"{mode} {requests} requests, wait {wait} s, batch {batch}"), "load"),
            started_at=began,
            ended_at=ended,
            status="failed" if lost else "ok",
            reason="every request failed" if lost else None,
            params={
                "mode": scrub.text(mode),
                **{name: scrub.scalar(name, text) for name, text in settings.items() if text},
                **({"service": service} if service else {}),
                **({"hardware": scrub.text(", ".join(filter(None, hardware)))} if any(hardware) else {}),
                "repetitions": len(cell.summary) or len(cell.raw),
            },
            metrics=[*_summarised(cell.summary), *recomputed(cell.raw, with_counts=not cell.summary)],
            checks=percentile_check(cell.summary, cell.raw),
            tags=tags,
            samples=samples_of(cell.raw, hosts, scrub) if cell.raw else {},
        )
    )


def _summarised(rows: list[SummaryRow]) -> Iterator[Metric]:
    for column, name in OPENENV_COLUMNS.items():
        values = [row.numbers[column] for row in rows if column in row.numbers]
        # With a value missing, the others' places would no longer be their repetitions.
        if rows and len(values) == len(rows):
            yield values_metric(name, values, SCALING[name])
