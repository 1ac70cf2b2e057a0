"""`raw.jsonl` of a load test: one request a line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from perfdb.record import Metric, sha256_hex
from perfdb.registry.importers.building import instant_of_text, values_metric
from perfdb.registry.importers.definitions import OPENENV_PERCENTILES, SCALING
from perfdb.registry.importers.imported import Skipped
from perfdb.registry.importers.names import Scrub, number_of
from perfdb.registry.importers.reading import LARGEST_TABLE, Unreadable, text_of

_LONGEST_LINE = 100_000
_TIMED = ("connect_latency", "reset_latency", "step_latency", "total_latency")


def same_number(value: object) -> str:
    """A setting as one text, so that 1, 1.0 and "1.0" are the same one."""
    try:
        number = float(str(value))
    except ValueError:
        return str(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


_Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]
_Setting = Annotated[str, BeforeValidator(same_number)]
_Latency = Annotated[float | None, Field(ge=0, le=1e9, allow_inf_nan=False)]


class RawRow(BaseModel):
    """One request."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mode: str
    wait_requested: _Setting
    batch_size: _Setting
    success: bool
    request_id: _Text = ""
    timestamp: str | float | None = None
    hardware: _Text = ""
    connect_latency: _Latency = None
    reset_latency: _Latency = None
    step_latency: _Latency = None
    total_latency: _Latency = None
    waited_seconds: _Latency = None
    pid: int | None = None
    session_hash: _Text = ""
    host_url: _Text = ""
    error_type: _Text = ""
    error_message: _Text = ""
    digest: str = ""

    @property
    def settings(self) -> tuple[str, str, str]:
        """Mode, wait and batch size."""
        return self.mode, self.wait_requested, self.batch_size

    @property
    def at(self) -> datetime | None:
        """When it was made."""
        return None if self.timestamp is None else instant_of_text(self.timestamp)


@dataclass
class Pseudonyms:
    """`host-1`, `host-2`, … in the order in which a source first names them."""

    stem: str
    known: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """The pseudonym of a name; empty for an empty one."""
        return self.known.setdefault(name, f"{self.stem}-{len(self.known) + 1}") if name else ""

    @property
    def names(self) -> list[str]:
        """The hosts that stand in the names, whole and without their domain."""
        hosts = []
        for name in self.known:
            try:
                host = urlsplit(name if "//" in name else f"//{name}").hostname or ""
            except ValueError:
                continue
            hosts += [host, *([] if host.replace(".", "").isdigit() else [host.partition(".")[0]])]
        return [host for host in dict.fromkeys(hosts) if host]


def raw_rows(path: Path) -> Iterator[RawRow | Skipped]:
    """Every line as a request, or as why it is none."""
    try:
        lines = text_of(path, LARGEST_TABLE).split("\n")
    except Unreadable as error:
        yield Skipped(path.name, str(error))
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path.name} line {number}"
        try:
            document: Any = json.loads(line[: _LONGEST_LINE + 1])
            if not isinstance(document, dict):
                raise ValueError("no JSON object")
            yield RawRow.model_validate({**document, "digest": sha256_hex(line.strip().encode())})
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            yield Skipped(where, f"{'.'.join(str(part) for part in first['loc'])[:80]}: {first['msg'][:200]}")
        except (ValueError, RecursionError):
            yield Skipped(where, "it is no JSON object; a last line may have been cut off")


def percentile(values: Sequence[float], percent: float) -> float:
    """Of sorted values, by linear interpolation between neighbours (numpy's default; Hyndman and Fan, type 7)."""
    place = percent / 100 * (len(values) - 1)
    low, high = math.floor(place), math.ceil(place)
    return values[low] + (values[high] - values[low]) * (place - low)


def latencies(rows: Sequence[RawRow], part: str) -> list[float]:
    """Sorted, of the successes."""
    name = f"{part}_latency"
    return sorted(value for row in rows if row.success and (value := getattr(row, name)) is not None)


def recomputed(repetitions: Sequence[Sequence[RawRow]], *, with_counts: bool) -> Iterator[Metric]:
    """What the raw rows say of each repetition."""
    if not repetitions:
        return
    if with_counts:
        counts = {
            "successful_requests": [sum(row.success for row in rows) for rows in repetitions],
            "failed_requests": [sum(not row.success for row in rows) for rows in repetitions],
        }
        for name, numbers in counts.items():
            yield values_metric(name, [float(n) for n in numbers], SCALING[name])
    for part, percents in OPENENV_PERCENTILES.items():
        sorted_ones = [latencies(rows, part) for rows in repetitions]
        if all(sorted_ones):
            for p in percents:
                name = f"recomputed_{part}_p{p}_s"
                yield values_metric(name, [percentile(values, p) for values in sorted_ones], SCALING[name])


def _ids(texts: Sequence[str], scrub: Scrub) -> list[object]:
    """As numbers where they are: so many different texts would be too many."""
    numbers = [number_of(text) for text in texts]
    return list(numbers) if all(type(n) is int for n in numbers) else [scrub.text(text) for text in texts]


def samples_of(repetitions: Sequence[Sequence[RawRow]], hosts: Pseudonyms, scrub: Scrub) -> dict[str, list[object]]:
    """Every request, hosts under pseudonyms."""
    numbered = [(number, row) for number, rows in enumerate(repetitions, start=1) for row in rows]
    instants = [row.at for _, row in numbered]
    began = min((at for at in instants if at), default=None)
    columns: dict[str, list[object]] = {
        "repetition": [number for number, _ in numbered],
        "request_id": _ids([row.request_id for _, row in numbered], scrub),
        "at_s": [(at - began).total_seconds() if at and began else None for at in instants],
    }
    for name in (*_TIMED, "waited_seconds"):
        columns[f"{name.removesuffix('_seconds')}_s"] = [getattr(row, name) for _, row in numbered]
    return columns | {
        "pid": [row.pid for _, row in numbered],
        # Under another name: what a session is called is taken for a secret everywhere else.
        "environment_hash": [scrub.text(row.session_hash) for _, row in numbered],
        "host": [hosts.of(row.host_url) for _, row in numbered],
        "success": [row.success for _, row in numbered],
        "error_type": [scrub.text(row.error_type) for _, row in numbered],
        "error_message": [scrub.text(row.error_message) for _, row in numbered],
    }
