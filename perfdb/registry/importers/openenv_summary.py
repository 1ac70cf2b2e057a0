"""`summary.csv` of a load test: one repetition a row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from perfdb.record import Check
from perfdb.registry.importers.building import instant_of_text
from perfdb.registry.importers.definitions import OPENENV_COLUMNS, OPENENV_PERCENTILES
from perfdb.registry.importers.imported import Skipped
from perfdb.registry.importers.names import number_of
from perfdb.registry.importers.openenv_raw import Pseudonyms, RawRow, latencies, same_number
from perfdb.registry.importers.reading import Unreadable, rows_of

_SETTINGS = ("mode", "num_requests", "wait_seconds", "batch_size")
_NEEDED = {*_SETTINGS, "successful", "failed"}
# Sources round what they print.
_ROUNDING_S = 0.0011


@dataclass(frozen=True)
class SummaryRow:
    """One repetition: its row as it stands, and the numbers in it."""

    fields: Mapping[str, str]
    numbers: Mapping[str, float]

    @property
    def url(self) -> str:
        """Of the service; never kept."""
        return self.fields.get("url", "")

    @property
    def settings(self) -> tuple[str, ...]:
        """Mode, service, number of requests, wait and batch size."""
        mode, requests, wait, batch = (self.fields[name] for name in _SETTINGS)
        return mode, self.url, same_number(requests), same_number(wait), same_number(batch)

    @property
    def raw_settings(self) -> tuple[str, str, str]:
        """Those of them that a raw line tells too."""
        mode, _, _, wait, batch = self.settings
        return mode, wait, batch

    @property
    def failed(self) -> int:
        """Requests that failed."""
        return int(self.numbers["failed"])

    @property
    def requests(self) -> int:
        """Requests that were made."""
        return int(self.numbers["successful"]) + self.failed

    @property
    def at(self) -> datetime | None:
        """When its source says it was."""
        text = self.fields.get("timestamp", "")
        return instant_of_text(text) if text else None

    def kept(self, services: Pseudonyms) -> dict[str, str]:
        """The row, its service under a pseudonym."""
        return {**self.fields, **({"url": services.of(self.url)} if self.url else {})}


def summary_rows(path: Path) -> Iterator[SummaryRow | Skipped]:
    """Every row as a repetition, or as why it is none."""
    try:
        names, rows = rows_of(path)
    except Unreadable as error:
        yield Skipped(path.name, str(error))
        return
    if missing := sorted(_NEEDED - set(names)):
        yield Skipped(path.name, f"it is no summary of a load test: no column {', '.join(missing)}")
        return
    for line, row in rows:
        where = f"{path.name} line {line}"
        if row is None:
            yield Skipped(where, "it has another number of fields than the first line")
            continue
        numbers = {name: number_of(row[name]) for name in OPENENV_COLUMNS if row.get(name, "").strip()}
        odd = sorted(name for name, value in numbers.items() if value is None or not 0 <= value <= 1e12)
        odd += [name for name in ("successful", "failed") if name not in numbers]
        # Percentiles of no successes at all are written as nan by many a library.
        if odd and (row["successful"].strip() != "0" or {"successful", "failed"} & set(odd)):
            yield Skipped(where, f"no number that it can be: {', '.join(odd)}")
            continue
        yield SummaryRow(row, {n: float(v) for n, v in numbers.items() if v is not None and n not in odd})


def percentile_check(summary: Sequence[SummaryRow], raw: Sequence[Sequence[RawRow]]) -> list[Check]:
    """Whether the summary's percentiles are those of the raw rows, by any usual way to compute them."""
    if not summary or not raw:
        return []
    odd, compared = [], 0
    for number, (row, rows) in enumerate(zip(summary, raw, strict=True), start=1):
        for part, percents in OPENENV_PERCENTILES.items():
            values = latencies(rows, part)
            for p in percents:
                stated = row.numbers.get(f"{part}_p{p}")
                if stated is None or not values:
                    continue
                compared += 1
                # The ways differ by a neighbour at most.
                place = p / 100 * (len(values) - 1)
                least = values[max(0, math.floor(place) - 1)] - _ROUNDING_S
                most = values[min(len(values) - 1, math.ceil(place) + 1)] + _ROUNDING_S
                if not least <= stated <= most:
                    odd.append(f"{part}_p{p} of repetition {number} is {stated:g}, not {least:.4g} to {most:.4g}")
    agreed = [sum(r.success for r in rows) == row.numbers["successful"] for row, rows in zip(summary, raw, strict=True)]
    if not all(agreed):
        odd.append("raw.jsonl has another number of successes")
    detail = f"differ: {'; '.join(odd)}"[:2000] if odd else f"{compared} percentiles and the numbers of successes agree"
    return [Check(name="summary_agrees_with_raw", passed=not odd, detail=detail)]
