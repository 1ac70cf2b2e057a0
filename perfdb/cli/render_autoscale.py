"""What `perfdb autoscale` found: as people read it, as JSON, and as a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from perfdb.cli.render_history import aligned
from perfdb.cli.terminal import printable
from perfdb.families.autoscale.analysis.batch import KINDS, MEAN_METHOD, MEDIAN_METHOD, batch_of
from perfdb.families.autoscale.analysis.ways import together
from perfdb.units import counted, significant

if TYPE_CHECKING:
    from perfdb.cli.rounds import Measured, Pool
    from perfdb.families.autoscale.analysis.batch import Batch, Summary
    from perfdb.families.autoscale.analysis.curves import Curve
    from perfdb.families.autoscale.analysis.ways import Against, Way
    from perfdb.report.charts import Spec

_HEAD = ("n", "min", "mean", "95 % of the mean", "median", "95 % of the median", "p95", "max")
_MOST_LINES = 8
_MOST_ROWS = 6


def print_analysis(found: Measured) -> None:
    """A table for each kind of round of each set of records that are alike."""
    for pool in found.pools:
        for line in _pool_lines(pool):
            print(printable(line))
        print()
    for line in found.told_left_out():
        print(printable(line))
    print(f"times in seconds. {MEAN_METHOD}; {MEDIAN_METHOD}; p95 from 20 values on")


def _pool_lines(pool: Pool) -> Iterator[str]:
    yield f"{pool.name}: {counted(len(pool.records), 'record')} ({', '.join(pool.ids)})"
    for batch in _batches(pool):
        yield f"{batch.kind}, {counted(batch.rounds, 'round')}"
        rows = [
            ["first task submitted to first task started on the node", *_HEAD],
            *map(_row, batch.acquisition),
            ["by completions: a task's submission to its result gathered"],
            *map(_row, batch.seed),
            ["stage, to"],
            *map(_row, batch.stages),
        ]
        yield from (f"  {line}" for line in aligned(rows))


def _row(summary: Summary) -> list[str]:
    return [
        f"  {summary.what}",
        str(summary.n),
        _seconds(summary.min),
        _seconds(summary.mean),
        _interval(summary.mean_interval),
        _seconds(summary.median),
        _interval(summary.median_interval),
        _seconds(summary.p95),
        _seconds(summary.max),
    ]


def _interval(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None else f"{_seconds(ends[0])} – {_seconds(ends[1])}"


def _seconds(value: float | None) -> str:
    """To the millisecond, all alike, so that they can be compared down a column."""
    return "-" if value is None else f"{value:.3f}"


def _batches(pool: Pool) -> list[Batch]:
    return [batch for kind in KINDS if (batch := batch_of(pool.events, kind))]


def analysis_document(found: Measured) -> dict[str, Any]:
    """For JSON; seconds throughout."""
    return {
        "unit": "s",
        "mean_interval": MEAN_METHOD,
        "median_interval": MEDIAN_METHOD,
        "pools": [
            {
                "name": pool.name,
                "records": list(pool.ids),
                "batches": [batch.model_dump(mode="json") for batch in _batches(pool)],
            }
            for pool in found.pools
        ],
        "left_out": {why: list(ids) for why, ids in found.left_out.items()},
        "never_came": dict(found.never_came),
    }


def print_ways(ways: Sequence[Way], found: Sequence[Against], cores: int) -> None:
    """Each way's steps, and who is first from where on."""
    for way in ways:
        for line in _way_lines(way, cores):
            print(printable(line))
        print()
    many, times = together(ways, cores)
    for line in aligned(
        [[f"{many:,} cores", "are there after"], *([f"  {n}", f"{significant(s)} s"] for n, s in times.items())]
    ):
        print(printable(line))
    print()
    for against in found:
        print(printable(f"{against.nodes.name} against {against.serverless.name}, up to {against.within:,} cores"))
        lines = list(against.sentences())
        for line in lines[:_MOST_LINES]:
            print(printable(f"  {line}"))
        if len(lines) > _MOST_LINES:
            print(f"  and {len(lines) - _MOST_LINES} more changes; --json lists them")
        if against.within < cores:
            print(f"  nothing is said beyond: no more were {'measured' if against.nodes.band else 'given'}")
    if not any(way.nodes for way in ways):
        print("no nodes to set it against: name records, as `perfdb autoscale analyze` shows them")
    elif not found:
        print("no serverless platform to set them against: --serverless FILE.toml or --seconds-per-core S")


def _way_lines(way: Way, cores: int) -> Iterator[str]:
    yield way.label
    rows = [["  cores", "median" if way.band else "at", *(["min – max"] if way.band else [])]]
    curve = way.curve.up_to(cores)
    steps = list(zip(curve.at_s, curve.cores, strict=True))
    shown = steps if len(steps) <= _MOST_ROWS else [*steps[: _MOST_ROWS - 1], steps[-1]]
    for place, (at, there) in enumerate(shown):
        if len(shown) < len(steps) and place == len(shown) - 1:
            rows.append([f"  {'…':>5}"])
        spread = []
        if way.band:
            ends = (way.band.fastest.time_of(there), way.band.slowest.time_of(there))
            spread = [" – ".join(significant(end) for end in ends if end is not None)]
        rows.append([f"  {there:>5}", f"{significant(at)} s", *spread])
    yield from aligned(rows)


def ways_document(ways: Sequence[Way], found: Sequence[Against], cores: int) -> dict[str, Any]:
    """For JSON; seconds throughout."""
    many, times = together(ways, cores)
    return {
        "asked_cores": cores,
        "together": {"cores": many, "at_s": times},
        "ways": [way.document() for way in ways],
        "against": [against.document() for against in found],
    }


def spec_of(ways: Sequence[Way], found: Sequence[Against], cores: int, *, title: str, width: int) -> Spec:
    """The figure."""
    from perfdb.report.charts.allocation import Mark, Stairs, allocation

    stairs = []
    for way in ways:
        band = (_steps(way.band.slowest, cores), _steps(way.band.fastest, cores)) if way.band else None
        stairs.append(Stairs(way.legend, way.band is not None, _steps(way.curve, cores), band))
    marks: list[Mark] = []
    for against in found:
        for place, crossing in enumerate(against.by_cores[: _MOST_LINES + 1]):
            if place == 0:
                continue
            words = counted(crossing.cores, "core") if place == 1 else ""
            again = any(mark.told == words for mark in marks)  # at the same height, and often one upon the other
            marks.append(Mark(crossing.at_s[crossing.faster], crossing.cores, "" if again else words))
    notes = ["Ring: nodes and serverless change places, from so many cores on."] if marks else []
    pools: dict[tuple[str, ...], list[Way]] = {}
    for way in ways:
        if way.records:
            pools.setdefault(way.records, []).append(way)
    for ids, mine in pools.items():
        more = f" and {len(ids) - _MOST_LINES} more" if len(ids) > _MOST_LINES else ""
        whose = f"{', '.join(way.name for way in mine)}: measured" if len(pools) > 1 else "Measured"
        notes.append(f"{whose} in {', '.join(ids[:_MOST_LINES])}{more}, {mine[0].where}.")
    return allocation(stairs, marks, title=title, notes=notes, width=width)


def _steps(curve: Curve, cores: int) -> list[tuple[float, int]]:
    shown = curve.up_to(cores)
    return list(zip(shown.at_s, shown.cores, strict=True))
