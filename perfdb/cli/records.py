"""`perfdb list` and `perfdb show`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def _complete_id(incomplete: str) -> list[str]:
    from perfdb.registry import Registry
    from perfdb.settings import load_settings

    paths = Registry(load_settings().registry_path).folders()
    return sorted(path.name for path in paths if path.name.startswith(incomplete))


RecordId = Annotated[
    str, typer.Argument(metavar="ID", help="A record's id, or its first digits.", autocompletion=_complete_id)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def list_records(
    experiment: Annotated[str | None, typer.Option(help="Only of this experiment.")] = None,
    machine: Annotated[str | None, typer.Option(help="Only of this machine.")] = None,
    status: Annotated[str | None, typer.Option(help="Only with this status: ok, invalid, failed, ….")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest ones.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the records, newest first.

    \b
    Examples:
      perfdb list
      perfdb list --machine hopper --status ok --json
    """
    from perfdb.cli.render import print_list
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.errors import EXIT_FAULTS, RecordError
    from perfdb.registry import Registry
    from perfdb.settings import load_settings

    wanted = {"experiment": experiment, "machine": machine, "status": status}
    entries, faults = [], []
    for entry in Registry(load_settings().registry_path).entries():
        if isinstance(entry, RecordError):
            faults.append(entry)
            continue
        record = entry.record
        has = {"experiment": record.experiment, "machine": record.environment.machine, "status": record.status}
        if all(value is None or has[name] == value for name, value in wanted.items()):
            entries.append(entry)
    entries.sort(key=lambda entry: entry.record.started_at, reverse=True)
    if as_json:
        print_json([entry.record.document() for entry in entries[:limit]])
    else:
        print_list(entries[:limit], len(entries))
    voice = Voice()
    for fault in faults:
        voice.warn(str(fault))
    if faults:
        sys.exit(EXIT_FAULTS)


def show(record_id: RecordId, as_json: AsJson = False) -> None:
    """Show one record in full.

    \b
    Examples:
      perfdb show 3f2a
      perfdb show 3f2a --json | jq .metrics
    """
    from perfdb.cli.render import print_record
    from perfdb.cli.terminal import print_json
    from perfdb.registry import Registry
    from perfdb.settings import load_settings

    entry = Registry(load_settings().registry_path).find(record_id)
    if as_json:
        print_json(entry.record.document())
    else:
        print_record(entry)
