"""A comparison as people read it: what differs, the numbers, what weakens them, what to type next."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

from perfdb.cli.terminal import printable
from perfdb.compare.brief import values_in_words
from perfdb.compare.comparison import Case, Comparison, Difference, MetricComparison, Summary
from perfdb.compare.settings import FIRST, PREFIX
from perfdb.record import Scalar
from perfdb.units import counted, quantity, significant

_MOST_OF_A_KIND = 3
_LONGEST_LIST = 12
_COLOURS = {"better": "32", "worse": "31", "equivalent": "36", "undecided": "33", "too few": "33"}


def print_comparison(comparison: Comparison) -> None:
    """All of it, on standard output."""
    terminal = sys.stdout is not None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    for line in comparison_lines(comparison, width=width, coloured=terminal and "NO_COLOR" not in os.environ):
        print(line)


def comparison_lines(comparison: Comparison, *, width: int | None, coloured: bool) -> list[str]:
    """What a terminal shows.

    Args:
        width: Of the terminal, in characters; None for as wide as it gets. Where a table does not fit, each metric gets a
            few lines instead.
        coloured: Whether the verdicts are in colour.
    """
    lines = [*_fingerprint(comparison, width), ""]
    for case in comparison.cases:
        lines += [*_case(comparison, case, width, coloured), ""]
    if comparison.summaries:
        lines += [part for summary in comparison.summaries for part in _wrapped(_suite(comparison, summary), width)]
        lines.append("")
    for text in _some(comparison.unmatched, _LONGEST_LIST):
        lines += _wrapped(f"not compared: {text}", width)
    for text in comparison.warnings:
        lines += _wrapped(f"warning: {text}", width)
    if comparison.remedies:
        lines += ["", "too few to tell; this would give enough:"]
        lines += [f"  {printable(command)}" for command in comparison.remedies]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _fingerprint(comparison: Comparison, width: int | None) -> Iterator[str]:
    what = ", ".join(comparison.compared) or "nothing: the sides are alike"
    alike = [f"{name} {value}" for name, value in _common(comparison).items()]
    yield from _wrapped(f"compared: {what}; alike: {', '.join(alike) or 'what is told below'}", width)
    for place, side in enumerate(comparison.sides):
        asked = f" ({side.label})" if side.label != side.name else ""
        out = ", ".join(f"{len(ids)} {why}" for why, ids in side.left_out.items())
        left = f"; left out: {out}" if out else ""
        role = "baseline" if place == 0 else "other"
        yield from _wrapped(f"{role:<8}  {side.name}{asked}: {counted(len(side.records), 'record')}{left}", width)
    for title, found in (("came along", comparison.came_along), ("ignored", comparison.ignored)):
        if found:
            yield from _wrapped(f"{title}: {'; '.join(_differences(found))}", width)
    if not comparison.came_along and not comparison.ignored:
        yield "nothing else differs"


def _common(comparison: Comparison) -> dict[str, Scalar]:
    """What all cases have in common of what they are called by."""
    alike = [case.alike for case in comparison.cases]
    return (
        {name: value for name, value in alike[0].items() if all(a.get(name) == value for a in alike)} if alike else {}
    )


def _differences(found: Sequence[Difference]) -> Iterator[str]:
    """One by one, but packages together where they are many: a release brings its own set of them. So does a cluster of
    settings, of which those that people ask for first stand by themselves."""
    packages = [d for d in found if d.dimension.startswith("package.")]
    settings = [d for d in found if d.dimension.startswith(PREFIX) and d.dimension.removeprefix(PREFIX) not in FIRST]
    together = [each for each in (packages, settings) if len(each) > _MOST_OF_A_KIND]
    yield from (_difference(d) for d in found if not any(d in each for each in together))
    for each in together:
        names = ", ".join(printable(d.dimension.partition(".")[2]) for d in each)
        kind = "packages" if each is packages else "more settings of the scheduler"
        yield f"{len(each)} {kind}: {names} (--json has their {'versions' if each is packages else 'values'})"


def _difference(difference: Difference) -> str:
    few = Difference(dimension=difference.dimension, values=tuple(tuple(_some(v, 3)) for v in difference.values))
    return f"{few.dimension} {printable(values_in_words(few))}"


def _case(comparison: Comparison, case: Case, width: int | None, coloured: bool) -> list[str]:
    common = _common(comparison)
    where = "".join(f", {name} {value}" for name, value in case.alike.items() if name not in common)
    title = _wrapped(f"{comparison.sides[case.other].name} against {comparison.sides[0].name}{where}", width)
    if not case.metrics:
        return [*title, "  no metric that both sides have"]
    table = _table(case.metrics)
    if width is None or max(map(len, table)) <= width:
        return [*title, *(_painted(line, case.metrics, coloured) for line in _numbered(table))]
    return [*title, *(line for metric in case.metrics for line in _stacked(metric, coloured))]


def _table(metrics: Sequence[MetricComparison]) -> list[str]:
    head = ("metric", "baseline", "other", "n", "ratio", "95 % interval", "change", "p", "delta", "verdict")
    rows = [
        head,
        *(
            (
                m.metric,
                amount(m.baseline.median, m.unit),
                amount(m.other.median, m.unit),
                _n(m),
                significant(m.ratio) if m.ratio is not None else "-",
                _interval(m),
                _change(m),
                _p(m),
                _delta(m),
                verdict_words(m),
            )
            for m in metrics
        ),
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return ["  " + "  ".join(_aligned(row, widths)).rstrip() for row in rows]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    last = len(row) - 1
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if place in (0, last) else cell.rjust(width)


def _numbered(table: Sequence[str]) -> Iterator[tuple[int, str]]:
    return ((number - 1, line) for number, line in enumerate(table))


def _painted(numbered: tuple[int, str], metrics: Sequence[MetricComparison], coloured: bool) -> str:
    place, line = numbered
    if not coloured or place < 0:
        return line
    words = verdict_words(metrics[place])
    return line.removesuffix(words) + _coloured(words, metrics[place])


def _stacked(metric: MetricComparison, coloured: bool) -> list[str]:
    words = verdict_words(metric)
    ratio = significant(metric.ratio) if metric.ratio is not None else "-"
    return [
        f"  {metric.metric}: {_coloured(words, metric) if coloured else words}",
        f"    {amount(metric.baseline.median, metric.unit)} -> {amount(metric.other.median, metric.unit)}, n {_n(metric)}",
        f"    ratio {ratio} {f'[{_interval(metric)}]' if metric.interval else '(no interval)'}, {_change(metric)}, p {_p(metric)}, delta {_delta(metric)}",
    ]


def _coloured(words: str, metric: MetricComparison) -> str:
    return f"\x1b[{_COLOURS[metric.verdict]}m{words}\x1b[0m"


def amount(value: float, unit: str) -> str:
    """A quantity to set beside another: seconds stay seconds, since minutes are hard to divide."""
    return f"{significant(value)} s" if unit == "s" and abs(value) >= 1 else quantity(value, unit)


def _n(metric: MetricComparison) -> str:
    return f"{metric.baseline.n}/{metric.other.n} {'rep' if metric.unit_of_analysis == 'repetition' else 'rec'}"


def _interval(metric: MetricComparison) -> str:
    found = metric.interval
    return f"{significant(found.low)} – {significant(found.high)}" if found else "-"


def _change(metric: MetricComparison) -> str:
    return f"{100 * (metric.ratio - 1):+.1f} %" if metric.ratio is not None else "-"


def _p(metric: MetricComparison) -> str:
    p = metric.p_adjusted
    return "-" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def _delta(metric: MetricComparison) -> str:
    return "-" if metric.cliffs_delta is None else f"{metric.cliffs_delta:+.2f}"


def verdict_words(metric: MetricComparison) -> str:
    """The verdict, with what it is about."""
    if metric.verdict in ("better", "worse"):
        return f"{metric.verdict} ({metric.direction} is better)"
    if metric.verdict == "undecided" and metric.direction == "none":
        return "undecided (no way is better)"
    return metric.verdict


def _suite(comparison: Comparison, summary: Summary) -> str:
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(summary.verdicts.items()))
    failed = f"; {counted(summary.failed, 'case')} of which a side only failed" if summary.failed else ""
    return (
        f"{comparison.sides[summary.other].name} over {counted(summary.cases, 'case')}, {summary.metric}: geometric mean of the "
        f"ratios {significant(summary.ratio)} ({verdicts}){failed}"
    )


def _some(told: Sequence[str], most: int) -> list[str]:
    more = len(told) - most
    return [*told[:most], *([f"and {more} more; --json lists them"] if more > 0 else [])]


def _wrapped(text: str, width: int | None) -> list[str]:
    text = printable(text)
    if width is None:
        return [text]
    return textwrap.wrap(text, max(40, width), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
