"""`perfdb list` and `perfdb show`."""

from __future__ import annotations

import dataclasses
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perfdb.cli.completing import complete_experiment, complete_machine, complete_status

if TYPE_CHECKING:
    from perfdb.errors import RecordError
    from perfdb.registry import Entry
    from perfdb.registry.index import Found

# Of a family's headline: a record that lacks the first shows the next.
TOLD_OF_EACH = 3
DEFAULT_COLUMNS = ("record_id", "started_at", "name", "machine", "status", "parsl_version")


def complete_id(incomplete: str) -> list[str]:
    """For the shell: the ids of records that begin so."""
    from perfdb.registry.index.listing import find_folders
    from perfdb.settings import load_settings

    return sorted(Path(folder).name for folder in find_folders(load_settings().registry_path, incomplete))


def _complete_column(incomplete: str) -> list[str]:
    from perfdb.registry.index import Index
    from perfdb.settings import load_settings

    settings = load_settings()
    names = Index(settings.registry_path, settings.state_path).known_columns()
    # `-name` would never get here: the shell's completion takes it for an option.
    return [name for name in names if name.startswith(incomplete)]


RecordId = Annotated[
    str, typer.Argument(metavar="ID", help="A record's id, or its first digits.", autocompletion=complete_id)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Query = Annotated[str | None, typer.Argument(metavar="QUERY", help="Which ones, such as 'provider.max_blocks >= 8'.")]
Sort = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN",
        help="Sort by this column, smallest first; -COLUMN: largest first. Repeat it for ties.",
        autocompletion=_complete_column,
    ),
]
Columns = Annotated[str | None, typer.Option(metavar="A,B,…", help="These columns, such as name,metric.cold_start_s.")]
Retracted = Annotated[bool, typer.Option("--retracted", help="Withdrawn ones too.")]


def list_records(
    query: Query = None,
    experiment: Annotated[
        str | None, typer.Option(help="Only of this experiment.", autocompletion=complete_experiment)
    ] = None,
    machine: Annotated[str | None, typer.Option(help="Only of this machine.", autocompletion=complete_machine)] = None,
    status: Annotated[
        str | None, typer.Option(help="Only with this status: ok, invalid, failed, ….", autocompletion=complete_status)
    ] = None,
    sort: Sort = None,
    columns: Columns = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the first ones.")] = 50,
    retracted: Retracted = False,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
) -> None:
    """List the records, newest first.

    Exit code 5 where records could not be read: they are left out, and named.

    \b
    Examples:
      perfdb list
      perfdb list --machine hopper --status ok --json
      perfdb list 'provider.max_blocks >= 8 and parsl_version > 2025.8' --sort -warm_tasks_per_s
      perfdb list 'started_at > -7d' --columns name,provider.max_blocks,metric.warm_tasks_per_s
    """
    from perfdb.cli.opening import open_index, tell_faults
    from perfdb.cli.render_list import not_shown, print_list
    from perfdb.cli.terminal import Voice, print_json, printable
    from perfdb.errors import UsageError
    from perfdb.registry.index import spelled, write_csv
    from perfdb.settings import load_settings

    if as_json and as_csv:
        raise UsageError("--json and --csv are two forms of one list: choose one.")
    voice = Voice()
    root = load_settings().registry_path
    where = {"experiment": experiment, "machine": machine, "status": status}
    found = open_index(voice).search(
        query,
        where={name: value for name, value in where.items() if value is not None},
        sort=sort or (),
        limit=limit,
        retracted=retracted,
    )
    withdrawn = ["retracted"] if retracted else []
    chosen = found.columns(split_names(columns) or [*DEFAULT_COLUMNS, *withdrawn, *_headline_columns(found)])
    if as_json and columns is None:
        documents, changed = _documents(root, found)
        found = dataclasses.replace(found, faults=(*found.faults, *changed))
        print_json(documents)
    elif as_json:
        names = [column.name for column in chosen]
        rows = found.rows(chosen)
        # JSON's own types stay as they are; only an instant has none.
        print_json(
            [{n: spelled(v) if hasattr(v, "tzinfo") else v for n, v in zip(names, row, strict=True)} for row in rows]
        )
    elif as_csv:
        text = io.StringIO()
        write_csv(text, found, chosen)
        # Another program gets a stranger's text as it is; a terminal must not obey it.
        sys.stdout.write(printable(text.getvalue()) if sys.stdout.isatty() else text.getvalue())
    else:
        print_list(found, chosen, root=root, default=columns is None)
    if found.total > len(found.places) and (as_json or as_csv):
        voice.say(not_shown(found))
    tell_faults(voice, found)


def show(record_id: RecordId, as_json: AsJson = False) -> None:
    """Show one record in full.

    \b
    Examples:
      perfdb show 3f2a
      perfdb show 3f2a --json | jq .metrics
    """
    from perfdb.cli.render import print_record
    from perfdb.cli.terminal import print_json
    from perfdb.registry.remarks import remarks_on
    from perfdb.settings import load_settings

    root = load_settings().registry_path
    entry = _find(root, record_id)
    if as_json:
        print_json(entry.record.document())
    else:
        print_record(entry, remarks_on(entry.record.record_id, root))


def split_names(text: str | None) -> list[str] | None:
    """The names in `a,b,c`; None where nothing was asked for.

    Raises:
        UsageError: there is no name in it.
    """
    from perfdb.errors import UsageError

    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("--columns names no column: type, for example, --columns name,machine.")
    return names


def _documents(root: Path, found: Found) -> tuple[list[dict[str, Any]], list[RecordError]]:
    """The records themselves; one that was damaged since it came into the index comes as the error that says so."""
    from perfdb.errors import RecordError
    from perfdb.registry.store import RECORD_FILE, read_record

    documents, faults = [], []
    for folder in found.values(found.columns(["folder"])[0]):
        try:
            documents.append(read_record(root / str(folder) / RECORD_FILE).document())
        except RecordError as error:
            faults.append(error)
    return documents, faults


def _headline_columns(found: Found) -> list[str]:
    """The first headline metrics of each family, then of each kind of source, as far as any record has them."""
    from perfdb.cli.known import headlines

    kinds = reversed([*headlines().values()])
    names = dict.fromkeys(f"metric.{name}" for kind in kinds for name in kind[:TOLD_OF_EACH])
    return [name for name in names if name in found.view.catalogue.columns]


def _find(root: Path, prefix: str) -> Entry:
    from perfdb.registry import Entry, Registry
    from perfdb.registry.index.listing import find_folders
    from perfdb.registry.store import RECORD_FILE, read_record

    folders = find_folders(root, prefix) if prefix else []
    if len(folders) == 1 and (root / folders[0] / RECORD_FILE).exists():
        return Entry(read_record(root / folders[0] / RECORD_FILE), root / folders[0])
    return Registry(root).find(prefix)
