"""The whole site: read, then written beside its place, then put there."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfdb.errors import RecordError
from perfdb.report.charts import DARK, LIGHT, bundle
from perfdb.report.site.badges import write_badges
from perfdb.report.site.contents import Contents, Item, Progress, read_contents
from perfdb.report.site.events import write_events
from perfdb.report.site.folder import check_target, replacing
from perfdb.report.site.histories import write_comparisons, write_histories
from perfdb.report.site.listing import groups, metrics, months, overview
from perfdb.report.site.record_page import Relation, Task, relation
from perfdb.report.site.record_pages import write_record_pages
from perfdb.report.site.render import ROOM, Writer, instant_text
from perfdb.report.site.trends import trends
from perfdb.units import counted

NAV = (
    ("index.html", "Overview"),
    ("history/index.html", "History"),
    ("comparisons/index.html", "Comparisons"),
    ("changes.html", "Changes"),
    ("machines/index.html", "Machines"),
    ("configs/index.html", "Configs"),
    ("experiments/index.html", "Experiments"),
    ("lists/index.html", "Records"),
    ("metrics.html", "Metrics"),
    ("badges/index.html", "Badges"),
)
# Where a site of the documentation lies in the same folder, as `make docs` leaves it.
DOCUMENTATION = ("docs/index.html", "Documentation")


@dataclass(frozen=True)
class Built:
    """What was made.

    Attributes:
        target: The site's folder.
        records: How many have a page.
        pages: How many files the site has.
        faults: Records that could not be read.
    """

    target: Path
    records: int
    pages: int
    faults: tuple[RecordError, ...]


def build_site(
    root: Path,
    folders: Sequence[str],
    target: Path,
    *,
    title: str,
    progress: Progress,
    query: str | None = None,
    faults: Sequence[RecordError] = (),
    address: str = "",
) -> Built:
    """Make a site of records. Equal records and remarks give equal bytes.

    Args:
        root: The registry.
        folders: Of the records, relative to it.
        target: Where to; a site of ours that is there is replaced once the new one is whole.
        title: At the head of every page.
        query: What the records were chosen by, told on every page.
        faults: What is wrong with chosen records that could not be read.
        address: Where the site will be, for the feed, which is read elsewhere; "" for not known.

    Raises:
        UsageError: something else lies at `target`.
        RegistryError: it can't be written, or records changed meanwhile; what was at `target` is as it was.
    """
    place = check_target(target)
    contents = read_contents(root, folders, title=title, query=query, faults=faults, progress=progress)
    with replacing(place) as building:
        common = _common(contents, documented=(place / DOCUMENTATION[0]).is_file())
        writer = Writer(building, common)
        _write_assets(writer)
        progress("compare", 0, 1)
        found = trends(contents)
        overview(contents, found, writer)
        groups(contents, found, writer)
        write_histories(found, writer)
        write_comparisons(contents, found, writer)
        write_events(contents, found, writer, address)
        write_badges(found, writer)
        metrics(contents, writer)
        months(contents, writer)
        write_record_pages(root, [_task(contents, item) for item in contents.items], building, common, progress)
        pages = sum(1 for path in building.rglob("*") if path.is_file())
    return Built(place, len(contents.items), pages, contents.faults)


def _common(contents: Contents, *, documented: bool) -> dict[str, Any]:
    apart = sum(not item.counts for item in contents.items)
    left_out = f", of which {apart} stand in no comparison" if apart else ""
    return {
        "site": {
            "title": contents.title,
            "nav": (*NAV, DOCUMENTATION) if documented else NAV,
            "counts": f"{counted(len(contents.items), 'record')}{left_out}.",
            "as_of": instant_text(contents.newest_at),
            "query": contents.query,
        },
        "figures": [],
    }


def _write_assets(writer: Writer) -> None:
    for path in sorted((ROOM / "assets").iterdir()):
        writer.file(f"assets/{path.name}", path.read_bytes())
    writer.file("assets/charts.js", _charts_script().encode())
    # A host that runs Jekyll over a site would take an hour over ten thousand pages.
    writer.file(".nojekyll", b"")


@functools.cache
def _charts_script() -> str:
    """What draws the charts, and how they look; making it takes two seconds."""
    themes = json.dumps({"light": LIGHT, "dark": DARK}, sort_keys=True, separators=(",", ":"))
    return f"{bundle()}\nwindow.perfdbThemes={themes};\n"


def _task(contents: Contents, item: Item) -> Task:
    related: list[Relation] = []
    original = item.record.reproduces
    if original:
        known = contents.by_id.get(original)
        related.append(relation("Does again", known.record if known else None, original))
    related += [relation("Done again by", other.record, other.id) for other in contents.reproductions.get(item.id, ())]
    sitting = item.record.sitting
    others = contents.sittings.get(sitting.uuid, ()) if sitting else ()
    turns = tuple(relation("", other.record, other.id) for other in others if other.id != item.id)
    return Task(item.folder, item.remarks, item.mark, tuple(related), turns)
