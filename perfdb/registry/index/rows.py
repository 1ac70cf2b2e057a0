"""A record as one wide row: every value under its column's name and type. Pure."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from perfdb.record import Record, Scalar
from perfdb.registry.index.columns import Key
from perfdb.registry.index.versions import version_key

Value = str | float | int | bool
Cell = tuple[Key, Value]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def microseconds(instant: datetime) -> int:
    """Since 1970, exactly."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def number_in(text: str) -> float | None:
    """The number that a text spells, if it spells one and nothing else."""
    return float(text) if len(text) <= 100 and _NUMBER.fullmatch(text) else None


def row_of(record: Record, folder: str) -> dict[Key, Value]:
    """A record's row.

    Args:
        folder: Where it lies, relative to the registry.
    """
    return dict(_cells(record, folder))


def tag_cells(name: str, value: str, prefix: str = "tag") -> Iterator[Cell]:
    """A tag, or what is like one: text, and a number where it spells one."""
    yield Key(f"{prefix}.{name}", "t"), value
    number = number_in(value)
    if number is not None:
        yield Key(f"{prefix}.{name}", "n"), number


def _cells(record: Record, folder: str) -> Iterator[Cell]:
    environment, config, measured = record.environment, record.config, record.code.measured
    texts = {
        "record_id": record.record_id,
        "family": record.family,
        "experiment": record.experiment,
        "name": record.run_name,
        "machine": environment.machine,
        "status": record.status,
        "config": config.name if config else None,
        "fingerprint": config.fingerprint if config else None,
        "machine_fingerprint": environment.machine_fingerprint,
        "scheduler": environment.scheduler,
        "origin": record.origin.kind,
        "source_kind": record.origin.source_kind,
        "sitting": record.sitting.uuid if record.sitting else None,
        "reproduces": record.reproduces,
        "folder": folder,
    }
    for name, text in texts.items():
        if text is not None:
            yield Key(name, "t"), text
    yield Key("started_at", "i"), microseconds(record.started_at)
    yield Key("ended_at", "i"), microseconds(record.ended_at)
    yield Key("duration_s", "n"), record.duration_s
    yield from _version("parsl_version", measured.get("parsl"))
    yield from _version("perfdb_version", record.code.perfdb_version)
    yield from _version("scheduler_version", environment.scheduler_version)
    yield from _numbers(record)
    yield from _scalars("param", record.params)
    yield from _scalars("spec", record.spec)
    for name, setting in (environment.scheduler_settings or {}).items():
        yield from tag_cells(name, setting, "scheduler_settings")
    for name, value in (record.tags or {}).items():
        yield from tag_cells(name, value)
    for name, version in measured.items():
        yield from _version(f"measured.{name}", version)
    for check in record.checks:
        yield Key(f"check.{check.name}", "b"), check.passed


def _numbers(record: Record) -> Iterator[Cell]:
    """The median of each run-level metric, and how often the run was repeated."""
    repetitions = 0
    seen = set()
    for metric in record.metrics:
        if metric.step is None and metric.name not in seen:  # the first stands for the run, as in `Record.metric`
            seen.add(metric.name)
            repetitions = max(repetitions, len(metric.all_values))
            yield Key(f"metric.{metric.name}", "n", metric.unit), _median(metric.all_values)
    if repetitions:
        yield Key("repetitions", "n"), repetitions


def _median(values: Sequence[float]) -> float:
    middle = statistics.median(values)
    # Halfway between the two largest floats there are, it overflows.
    return middle if math.isfinite(middle) else statistics.median_low(values)


def _scalars(prefix: str, values: Mapping[str, Scalar]) -> Iterator[Cell]:
    for name, value in values.items():
        if isinstance(value, bool):
            yield Key(f"{prefix}.{name}", "b"), value
        elif isinstance(value, str):
            yield Key(f"{prefix}.{name}", "t"), value
        elif value is not None:
            yield Key(f"{prefix}.{name}", "n"), value


def _version(name: str, text: str | None) -> Iterator[Cell]:
    if text is not None:
        yield Key(name, "t"), text
        key = version_key(text)
        if key is not None:
            yield Key(name, "v"), key
