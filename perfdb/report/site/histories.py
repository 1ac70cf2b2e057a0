"""Histories and comparisons."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from perfdb.families import FAMILIES
from perfdb.report.charts import Spec, history
from perfdb.report.site.comparing import of_releases, of_sitting
from perfdb.report.site.contents import Contents
from perfdb.report.site.meanings import definitions
from perfdb.report.site.render import Writer
from perfdb.report.site.trends import Trend, newest_points

# A history of more versions, or a page of more histories, is no page any more.
MOST_VERSIONS = 200
MOST_SECTIONS = 60
MOST_SITTINGS = 50
# Pixels; the page makes a chart narrower where it has no room.
WIDE = 860
MOST_ROWS = 1500


def write_histories(found: Sequence[Trend], writer: Writer) -> None:
    """A page for each machine and config, and one that lists them."""
    by_page: dict[str, list[Trend]] = defaultdict(list)
    for trend in found:
        by_page[trend.page].append(trend)
    writer.page("history/index.html", "histories.html", trends=[t for t in found if t.primary][:MOST_ROWS])
    for page, trends in by_page.items():
        shown = sorted(trends, key=lambda t: not t.primary)[:MOST_SECTIONS]
        first = shown[0]
        writer.page(
            page,
            "history.html",
            machine=first.machine,
            config=first.config,
            experiment=first.experiment,
            trends=shown,
            charts=[_charts(trend) for trend in shown],
            meanings=definitions(first.kind),
        )


def _charts(trend: Trend) -> list[tuple[str, Spec]]:
    """By version where there are versions to tell apart; by date for the metric that comes first."""
    charts = []
    if trend.by == "version" and len(trend.series.points) > 1:
        charts.append(
            (
                "version",
                history(newest_points(trend.series, MOST_VERSIONS), metric=trend.metric, by="version", width=WIDE),
            )
        )
    if len(trend.dated.points) > 1 and (trend.primary or trend.by == "date"):
        charts.append(("date", history(trend.dated, metric=trend.metric, by="date", width=WIDE)))
    return charts


def write_comparisons(contents: Contents, found: Sequence[Trend], writer: Writer) -> None:
    """Newest against before, for every metric; and the sittings."""
    sittings = [
        {
            "uuid": uuid,
            "machine": items[0].machine,
            "began": min(item.record.started_at for item in items),
            "items": items,
            "compared": of_sitting(items),
        }
        for uuid, items in list(contents.sittings.items())[:MOST_SITTINGS]
    ]
    releases = [trend for trend in found if trend.standing is not None and trend.standing.ratio is not None]
    writer.page(
        "comparisons/index.html",
        "comparisons.html",
        releases=releases[:MOST_ROWS],
        full=of_releases(contents, found),
        sittings=sittings,
        family=_most_measured(contents),
    )


def _most_measured(contents: Contents) -> str:
    """The family that most records here are of, of those that can be measured with this perfdb."""
    counts = Counter(item.record.family for item in contents.items if item.record.family in FAMILIES)
    return counts.most_common(1)[0][0] if counts else "throughput"
