"""`perfdb export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from perfdb.cli.records import Columns, Query, Retracted, Sort


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: a name that ends in .parquet or .csv.")],
    query: Query = None,
    sort: Sort = None,
    columns: Columns = None,
    retracted: Retracted = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Export records to a Parquet or CSV file, a row each, newest first.

    Exit code 5 where records could not be read: they are left out, and named.

    \b
    Examples:
      perfdb export all.parquet
      perfdb export hopper.csv 'machine == hopper and status == ok' --columns name,parsl_version,warm_tasks_per_s
    """
    from perfdb.cli.opening import open_index, tell_faults
    from perfdb.cli.records import split_names
    from perfdb.cli.terminal import Voice
    from perfdb.registry.index import check_target
    from perfdb.registry.index import export as write
    from perfdb.units import counted

    check_target(file, force=force)
    voice = Voice()
    found = open_index(voice).search(query, sort=sort or (), retracted=retracted)
    chosen = found.columns(split_names(columns))
    write(file, found, chosen)
    voice.say(f"{counted(found.total, 'record')}, {counted(len(chosen), 'column')}: {file}")
    tell_faults(voice, found)
