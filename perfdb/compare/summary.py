"""A suite in one number a metric: the geometric mean of its cases' ratios. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from perfdb.compare.comparison import Case, MetricComparison, Summary


def summaries(cases: Sequence[Case], failed: Mapping[int, int]) -> tuple[Summary, ...]:
    """One for each side and metric that several cases have a ratio of.

    Args:
        failed: For each side, by its place, of how many cases one side has only runs that do not count.
    """
    found: dict[tuple[int, str], list[MetricComparison]] = {}
    for case in cases:
        for metric in case.metrics:
            if metric.ratio is not None:
                found.setdefault((case.other, metric.metric), []).append(metric)
    return tuple(
        Summary(
            metric=name,
            other=other,
            ratio=math.exp(math.fsum(math.log(m.ratio) for m in metrics if m.ratio) / len(metrics)),
            cases=len(metrics),
            verdicts=dict(Counter(m.verdict for m in metrics)),
            failed=failed.get(other, 0),
        )
        for (other, name), metrics in found.items()
        if len(metrics) + failed.get(other, 0) > 1
    )
