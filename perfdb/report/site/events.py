"""What happened: changes found, records withdrawn, remarks, and what came in each month; as a page and as a feed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from perfdb.record import fingerprint
from perfdb.record.remarks import derived_uuid
from perfdb.report.charts.versions import spelled
from perfdb.report.site.contents import Contents
from perfdb.report.site.render import Writer, percent
from perfdb.report.site.trends import Trend
from perfdb.units import counted, quantity

# A feed is for what is new.
MOST = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        what: `confirmed`, `suspected`, `withdrawn`, `remark` or `records`.
        id: The same for the same thing in every build.
        href: Relative to the site; "" for none.
    """

    what: str
    at: datetime
    id: str
    title: str
    text: str
    href: str


def events(contents: Contents, found: Sequence[Trend]) -> list[Event]:
    """Newest first."""
    made = [*_changes(found), *_withdrawals(contents), *_remarks(contents), *_months(contents)]
    return sorted(made, key=lambda event: (event.at, event.id), reverse=True)


def _changes(found: Sequence[Trend]) -> Iterator[Event]:
    for trend in found:
        series = trend.series
        for change in series.changes:
            point = series.points[change.at]
            known = point.version or point.source
            at = spelled(point.version, point.source) if known else f"{point.first_at:%Y-%m-%d}"
            up = change.after > change.before
            better = {"higher": up, "lower": not up}.get(series.direction)
            way = "changed" if better is None else "better" if better else "worse"
            where = f"{trend.config or trend.experiment} on {trend.machine}"
            by = f" by {percent(change.ratio)}" if change.ratio is not None else ""
            names = fingerprint(dict(series.circumstances))
            yield Event(
                change.certainty,
                point.first_at,
                f"urn:uuid:{_dashed(derived_uuid('change', change.certainty, trend.metric, names, at))}",
                f"{trend.metric} {way}{by} at {at}: {where}",
                f"{change.certainty.capitalize()}: {quantity(change.before, series.unit)} before, "
                f"{quantity(change.after, series.unit)} since {at}, {where}"
                + (f" ({trend.variant})" if trend.variant else "")
                + ".",
                f"{trend.page}#{trend.anchor}",
            )


def _withdrawals(contents: Contents) -> Iterator[Event]:
    for item in contents.items:
        retraction = item.remarks.retraction
        if retraction is not None:
            yield Event(
                "withdrawn",
                retraction.at,
                f"urn:uuid:{_dashed(retraction.uuid)}",
                f"Withdrawn: {item.record.run_name} on {item.machine}",
                retraction.reason,
                f"records/{item.id}.html",
            )


def _remarks(contents: Contents) -> Iterator[Event]:
    told = set()
    for item in contents.items:
        for remark in item.remarks.annotations:
            if remark.uuid not in told:
                told.add(remark.uuid)
                baseline = " What came before is no measure for it." if remark.resets_baseline else ""
                yield Event(
                    "remark",
                    remark.at,
                    f"urn:uuid:{_dashed(remark.uuid)}",
                    f"Remark on {counted(len(remark.record_ids), 'record')}, such as {item.record.run_name}",
                    remark.note + baseline,
                    f"records/{item.id}.html",
                )


def _months(contents: Contents) -> Iterator[Event]:
    for month, items in contents.grouped(lambda item: item.month).items():
        machines = sorted({item.machine for item in items})
        shown = ", ".join(machines[:5]) + (f" and {len(machines) - 5} more" if len(machines) > 5 else "")
        apart = sum(not item.counts for item in items)
        yield Event(
            "records",
            max(item.record.ended_at for item in items),
            f"urn:uuid:{_dashed(derived_uuid('month', month))}",
            f"{counted(len(items), 'record')} of {month}",
            f"On {shown}." + (f" {apart} of them invalid, failed or withdrawn." if apart else ""),
            f"lists/{month}.html",
        )


def _dashed(uuid: str) -> str:
    return "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))


def write_events(contents: Contents, found: Sequence[Trend], writer: Writer, address: str = "") -> int:
    """The page and the feed; how many events there are.

    Args:
        address: Where the site will be: a feed is read elsewhere, and some readers drop links without it. "" leaves them
            relative.
    """
    made = events(contents, found)
    shown = made[:MOST]
    writer.page("changes.html", "changes.html", events=shown, count=len(made))
    writer.page(
        "changes.atom",
        "changes.atom",
        events=shown,
        base=f"{address.rstrip('/')}/" if address else "",
        feed_id=f"urn:uuid:{_dashed(derived_uuid('feed', contents.title))}",
        updated=made[0].at if made else _EPOCH,
    )
    return len(made)
