"""Task latencies from the probe's answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from perfdb.families.quantile import quantile, supported
from perfdb.processes.log import Line
from perfdb.record import Metric

MODES = {"serial": "task_latency", "chain": "chain_task_latency", "burst": "burst_task_latency"}
QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
SUMMARISED = frozenset(f"{stem}_{name}_s" for stem in MODES.values() for name in QUANTILES)


class _Rows(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: str
    mode: str = Field(pattern="^(serial|chain|burst)$")
    rows: list[tuple[Annotated[int, Field(ge=0, le=10**9)], float, float]] = Field(max_length=100_000)


@dataclass
class ProbeAnswers:
    """What the probe found.

    Attributes:
        samples: Columns `mode`, `task` (counted from 0), `submitted_s` (since its mode began), `latency_s`.
        workers: The facts of each host that ran a task.
        complete: Whether it came to its end.
    """

    samples: dict[str, list[Any]] = field(
        default_factory=lambda: {"mode": [], "task": [], "submitted_s": [], "latency_s": []}
    )
    workers: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = False


def read_answers(lines: Sequence[Line]) -> ProbeAnswers:
    """Every whole answer; a line that is none is passed over, and `complete` stays False if the end is missing."""
    answers = ProbeAnswers()
    for line in lines:
        try:
            document = json.loads(line.text)
            kind = document["kind"]
            if kind == "worker":
                answers.workers.append(dict(document["facts"]))
            elif kind == "samples":
                rows = _Rows.model_validate(document)
                for task, submitted_s, latency_s in rows.rows:
                    if not (math.isfinite(submitted_s) and math.isfinite(latency_s) and latency_s >= 0):
                        continue
                    for name, value in zip(answers.samples, (rows.mode, task, submitted_s, latency_s), strict=True):
                        answers.samples[name].append(value)
            elif kind == "end":
                answers.complete = True
        except (ValueError, KeyError, TypeError, ValidationError, RecursionError):
            continue
    return answers


def summarise(samples: Mapping[str, Sequence[Any]]) -> tuple[Metric, ...]:
    """The latency metrics that samples imply. A quantile that fewer than 1 / (1 - q) samples support is left out."""
    metrics = []
    for mode, stem in MODES.items():
        values = sorted(
            s for m, s in zip(samples.get("mode", ()), samples.get("latency_s", ()), strict=True) if m == mode
        )
        metrics += [
            Metric(name=f"{stem}_{name}_s", unit="s", direction="lower", value=quantile(values, q))
            for name, q in QUANTILES.items()
            if supported(len(values), q)
        ]
    return tuple(metrics)
