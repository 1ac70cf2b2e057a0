"""`perfdb report`: the records as a site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.records import AsJson, Query

if TYPE_CHECKING:
    from perfdb.errors import RecordError

_TOLD = {"read": "records read", "compare": "series, changes and comparisons", "pages": "pages of records"}


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to: a folder of its own.")],
    query: Query = None,
    title: Annotated[str, typer.Option(metavar="TEXT", help="At the head of every page.")] = "Parsl performance",
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser afterwards.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a site of the records: pages that open from the disk and on any static host, without a network.

    Withdrawn, invalid and failed records are on it, labelled, and count in no comparison. A site that is there already is
    replaced once the new one is whole; files that others put beside its own stay. Exit code 5 where records could not be
    read: they are left out, and counted.

    \b
    Examples:
      perfdb report site
      perfdb report site 'machine == hopper' --title 'Parsl on Hopper'
      perfdb report public --open
    """
    import sys

    from perfdb.cli.opening import open_index
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.errors import EXIT_FAULTS, UsageError
    from perfdb.registry import Registry
    from perfdb.report.site import build_site
    from perfdb.settings import load_settings
    from perfdb.units import counted

    if not title.strip():
        raise UsageError("--title is empty: name the site, for example --title 'Parsl on Hopper'.")
    voice = Voice()
    settings = load_settings()
    root = settings.registry_path
    for kept in (root, settings.state_path):
        if folder.expanduser().resolve().is_relative_to(kept.resolve()):
            raise UsageError(f"{folder} lies in {kept}, which is perfdb's own: name a folder beside it, such as site.")
    faults: tuple[RecordError, ...] = ()
    if query is None:
        # All of them: no index has to be made first.
        folders = [str(path.relative_to(root)) for path in Registry(root).folders()]
    else:
        found = open_index(voice).search(query, retracted=True)
        folders, faults = [str(value) for value in found.values(found.columns(["folder"])[0])], found.faults

    if not folders and query is not None:
        raise UsageError(
            f"no record matches {query!r}: {folder} was left as it is. `perfdb list {query!r}` tries a query; without one the "
            "site is of all records."
        )

    def told(what: str, done: int, total: int) -> None:
        # Under a name of its own each line takes the place of the one before.
        share = f"report, {what} {100 * done // total} %" if done else f"report, {what}"
        voice.progress(share, f"{done:,} of {total:,} {_TOLD[what]}" if done else _TOLD[what])

    address = settings.report_url or ""
    built = build_site(root, folders, folder, title=title, query=query, faults=faults, address=address, progress=told)
    voice.done()
    for fault in built.faults:
        voice.warn(str(fault))
    first = built.target / "index.html"
    if as_json:
        print_json({"site": str(built.target), "index": first.as_uri(), "records": built.records, "files": built.pages})
    else:
        voice.say(f"{counted(built.records, 'record')}, {counted(built.pages, 'file')}")
        typer.echo(str(first))
    if open_it:
        typer.launch(first.as_uri())
    if built.faults:
        sys.exit(EXIT_FAULTS)
