"""Made-up runs to compare: values by name, everything else alike unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from perfdb.compare.between import Chosen, compare
from perfdb.compare.comparison import Comparison, MetricComparison
from perfdb.record import Code, Environment, Host, Metric, Record, Sitting
from tests.tracking.records import STARTED, make_record

HEADLINES = {"throughput": ("warm_tasks_per_s", "cold_start_s")}
# Eight runs that scatter by about 1 %.
STEADY = (1.000, 1.010, 0.990, 1.005, 0.995, 1.012, 0.988, 1.002)
SITTING = "5" * 32


def rate(*values: float) -> Metric:
    return Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", values=values)


def cold(*values: float) -> Metric:
    return Metric(name="cold_start_s", unit="s", direction="lower", values=values)


def run(*metrics: Metric, hour: float = 0, parsl: str = "2025.8.4", **changes: Any) -> Record:
    """One run; `machine`, `python`, `kernel`, `packages`, `scheduler`, `settings`, `workers` and `turns` are shorthands."""
    host = {
        name: changes.pop(name, usual)
        for name, usual in (("python", "CPython 3.11.7"), ("kernel", "6.1"), ("cpu_count", 8), ("packages", {}))
    }
    environment = {
        name: changes.pop(name, usual) for name, usual in (("machine", "hopper"), ("scheduler", None), ("load", None))
    }
    load = environment.pop("load")
    environment["workers"] = changes.pop("workers", ())
    environment["scheduler_settings"] = changes.pop("settings", None)
    turns = changes.pop("turns", None)
    fields: dict[str, Any] = {
        "started_at": STARTED + timedelta(hours=hour),
        "ended_at": STARTED + timedelta(hours=hour, seconds=30),
        "spec": {"time": 5.0},
        "metrics": metrics,
        "environment": Environment(
            **environment,
            submit_host=Host(**host),
            load_at_start={"one": load, "five": load, "fifteen": load} if load is not None else None,
        ),
        "code": Code(perfdb_version="0.1.0", measured={"parsl": parsl}),
        "sitting": Sitting(uuid=changes.pop("sitting", SITTING), turns=turns) if turns else None,
    }
    return make_record(**{**fields, **changes})


def runs(level: float, count: int = 8, *, first_hour: float = 0, **changes: Any) -> list[Record]:
    """Records of one repetition each, an hour apart, that scatter a little around a rate."""
    values = [level * STEADY[i % len(STEADY)] * (1 + i / 10_000) for i in range(count)]
    return [run(rate(value), hour=first_hour + i, **changes) for i, value in enumerate(values)]


def compared(*sides: Sequence[Record], by: str | None = "parsl_version", **options: Any) -> Comparison:
    """Sides called A, B, … against one another."""
    chosen = [
        Chosen(name, records, (by,) if by else (), options.get("withdrawn", ()))
        for name, records in zip("ABCDEF", sides, strict=False)
    ]
    options.pop("withdrawn", None)
    return compare(chosen, headlines=HEADLINES, **options)


def only(comparison: Comparison, metric: str = "warm_tasks_per_s") -> MetricComparison:
    """That metric of the only case."""
    (case,) = comparison.cases
    (found,) = (m for m in case.metrics if m.metric == metric)
    return found
