"""`perfdb history METRIC`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.completing import complete_machine, complete_metric
from perfdb.cli.records import AsJson, Query
from perfdb.cli.run_options import complete_config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perfdb.cli.terminal import Voice
    from perfdb.compare.history import History
    from perfdb.errors import RecordError
    from perfdb.record import Record
    from perfdb.registry.index import Found

PREFIX = "metric."


class By(StrEnum):
    """What a history goes along."""

    VERSION = "version"
    DATE = "date"


def history(
    metric: Annotated[
        str,
        typer.Argument(metavar="METRIC", help="Such as warm_tasks_per_s.", autocompletion=complete_metric),
    ],
    query: Query = None,
    by: Annotated[By, typer.Option(help="Along the version of what was measured, or along time.")] = By.VERSION,
    machine: Annotated[str | None, typer.Option(help="Only of this machine.", autocompletion=complete_machine)] = None,
    config: Annotated[str | None, typer.Option(help="Only of this config.", autocompletion=complete_config)] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values, a row a point.")] = False,
) -> None:
    """Show how a metric went along versions or time, and where it changed.

    One series for each machine, config and set of options; unlike runs are never mixed. By version all records of one version
    make one point, by date each is one. A change is confirmed when it is at least 5 % and hardly chance; suspected when too
    few points follow to tell. `perfdb annotate --resets-baseline` begins a new baseline. Exit code 5 where records could not
    be read: they are left out, and named.

    \b
    Examples:
      perfdb history warm_tasks_per_s
      perfdb history warm_tasks_per_s --machine hopper --config slurm_hopper --by date
      perfdb history task_latency_p99_s 'started_at > -90d' --json | jq '.series[].changes'
    """
    from perfdb.cli.opening import open_index, tell_faults
    from perfdb.cli.render_history import print_csv, print_history
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.errors import UsageError

    if as_json and as_csv:
        raise UsageError("--json and --csv are two forms of one history: choose one.")
    voice = Voice()
    where = {"machine": machine} if machine is not None else {}
    # Withdrawn ones are shown as such.
    found = open_index(voice).search(query, where=where, retracted=True)
    told, faults = _history(found, metric, by, voice)
    if config is not None:  # not asked of the index: a record whose config did not load has none, and may belong here
        series = tuple(each for each in told.series if each.circumstances.get("config") == config)
        told = told.model_copy(update={"series": series})
    if as_json:
        print_json(told.model_dump(mode="json"))
    elif as_csv:
        print_csv(told, sys.stdout)
    else:
        print_history(told)
    for fault in faults:
        voice.warn(str(fault))
    tell_faults(voice, found)
    if faults:
        from perfdb.errors import EXIT_FAULTS

        sys.exit(EXIT_FAULTS)


def _history(found: Found, metric: str, by: By, voice: Voice) -> tuple[History, list[RecordError]]:
    """The metric's history over what was found.

    Raises:
        UsageError: no record has such a metric.
    """
    from perfdb.compare.history import history as history_of
    from perfdb.registry.remarks import annotations_of, retractions_of
    from perfdb.settings import load_settings

    root = load_settings().registry_path
    name = metric.removeprefix(PREFIX)
    column = found.columns([f"{PREFIX}{name}"])[0].name.removeprefix(PREFIX)
    # In another unit than most have it, it is a column of its own.
    name = column.partition("[")[0]
    records, faults = _records(found, root, name, voice)
    withdrawn = retractions_of(root)
    told = history_of(records, name, by=by.value, withdrawn=withdrawn, annotations=annotations_of(root))
    return told, faults


def _records(found: Found, root: Path, metric: str, voice: Voice) -> tuple[list[Record], list[RecordError]]:
    """The records of the families that have the metric: those without it may be failures that belong in its history."""
    from perfdb.errors import RecordError
    from perfdb.registry.store import RECORD_FILE, read_record

    families = _families(found, metric)
    rows = found.rows(found.columns(["family", "folder"]))
    chosen = [str(folder) for family, folder in rows if str(family) in families]
    count = voice.counting("history", f"of {len(chosen):,} records read")
    records, faults = [], []
    for number, folder in enumerate(chosen, 1):
        try:
            records.append(read_record(root / folder / RECORD_FILE))
        except RecordError as error:
            faults.append(error)
        count(number)
    return records, faults


def _families(found: Found, metric: str) -> set[str]:
    columns: Mapping[str, object] = found.view.catalogue.columns
    names = [n for n in columns if n == f"{PREFIX}{metric}" or n.startswith(f"{PREFIX}{metric}[")]
    rows = found.rows(found.columns(["family", *names]))
    return {str(family) for family, *values in rows if any(value is not None for value in values)}
