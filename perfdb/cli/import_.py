"""`perfdb import`: what others measured, as records."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perfdb.errors import EXIT_FAULTS, UsageError

if TYPE_CHECKING:
    import datetime as dt

    from perfdb.registry.importers import Saved
    from perfdb.settings import Settings

# Another import may be under way, and what it saves we must not save again.
LOCK_WAIT_S = 60.0
# A line for so many parts where nobody watches it move.
STRIDE = 500
_MOST_TOLD = 50


def _complete_kind(incomplete: str) -> list[str]:
    from perfdb.registry.importers import IMPORTERS

    return [kind for kind in IMPORTERS if kind.startswith(incomplete)]


def import_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", help="parsl-perf-archive, mlflow, openenv, fluence or csv.", autocompletion=_complete_kind
        ),
    ],
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A file, a folder, or a tracking URI.")],
    machine: Annotated[
        str | None, typer.Option(metavar="LABEL", help="The machine that it ran on; default: imported-KIND.")
    ] = None,
    experiment: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What to file it under; default: the source's own, or the family."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="What the columns are; for csv, and only there.")
    ] = None,
    date: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day it ran, for sources that do not say.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be imported.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Import what others measured.

    Each run becomes a record, with its own times, names and tags; a run that its source deleted is retracted too. Doing
    it twice adds nothing. What cannot be read is told and left out, and the exit code is then 5.

    \b
    KIND is one of
      parsl-perf-archive   an MLflow file store, or one experiment's folder in it
      mlflow               a tracking URI, such as http://127.0.0.1:5000 or sqlite:////data/mlflow.db
      openenv              a folder with summary.csv, raw.jsonl, or both
      fluence              a folder of logs, or the table made of them
      csv                  any table, with --mapping

    \b
    Examples:
      perfdb import parsl-perf-archive ../parsl-perf-runs/mlruns --machine cloud-16cpu
      perfdb import csv results.csv --mapping results.toml --dry-run
    """
    from perfdb.cli.known import rules
    from perfdb.cli.terminal import Voice, print_json, printable
    from perfdb.processes.lock import Lock
    from perfdb.redaction import Identity
    from perfdb.registry import Registry
    from perfdb.registry.importers import IMPORTERS, Options, Validator, save_all
    from perfdb.settings import load_settings

    _refuse_labels(machine, experiment)
    if kind not in IMPORTERS:
        raise UsageError(f"there is no importer {kind!r}; there are {', '.join(IMPORTERS)}.")
    if mapping is not None and kind != "csv":
        raise UsageError(f"--mapping is for csv; what a {kind} holds is known. Leave it out.")
    settings = load_settings()
    here = Identity.here()
    options = Options(machine, experiment, mapping, _day(date), here, lambda uri: _runs(uri, settings))
    registry = Registry(settings.registry_path)
    voice = Voice()
    seen = 0

    def tell(saved: Saved) -> None:
        nonlocal seen
        seen += 1
        if voice.tick_s is not None or seen % STRIDE == 0:
            voice.progress("import", f"{seen} read, {len(saved.added)} added, {saved.known} there already")

    with Lock(settings.state_path / "locks" / "import", LOCK_WAIT_S), Validator(rules(), here) as judge:
        if not dry_run:
            registry.check_writable()
        saved = save_all(IMPORTERS[kind](source, options), registry, judge=judge, dry_run=dry_run, on_part=tell)
    voice.done()
    if as_json:
        print_json({"kind": kind, "dry_run": dry_run, **saved.document()})
    else:
        print(printable(_sentence(saved, dry_run=dry_run)))
    for fault in saved.faults[:_MOST_TOLD]:
        voice.warn(f"{fault.where}: {fault.why}")
    if len(saved.faults) > _MOST_TOLD:
        voice.warn(f"and {len(saved.faults) - _MOST_TOLD} more like these; --json lists them all")
    if saved.faults:
        sys.exit(EXIT_FAULTS)


def _refuse_labels(machine: str | None, experiment: str | None) -> None:
    from perfdb.record import LABEL_RULE, is_label

    for flag, value in (("--machine", machine), ("--experiment", experiment)):
        if value is not None and not is_label(value):
            raise UsageError(f"{flag} {value!r} cannot name a folder: use {LABEL_RULE}.")


def _day(text: str | None) -> dt.date | None:
    import datetime as dt

    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--date {text!r} is no day: give one as in 2024-02-01.") from error


def _runs(uri: str, settings: Settings) -> Iterator[dict[str, Any]]:
    from perfdb.tracking import Target
    from perfdb.tracking.reading import read_runs

    state = settings.state_path
    return read_runs(Target(uri, str(state / "mlartifacts"), str(state)))


def _sentence(saved: Saved, *, dry_run: bool) -> str:
    count = len(saved.added)
    statuses = ", ".join(f"{number} {status}" for status, number in sorted(saved.statuses.items()))
    parts = [
        f"{count} record{'' if count == 1 else 's'} {'would be ' if dry_run else ''}added{f' ({statuses})' if count else ''}",
        f"{saved.known} there already",
    ]
    if saved.retracted:
        parts.append(f"{len(saved.retracted)} {'would be ' if dry_run else ''}retracted, as deleted in the source")
    if own := len(saved.skipped) - len(saved.faults):
        parts.append(f"{own} skipped: they show records of perfdb's own")
    if saved.faults:
        parts.append(f"{len(saved.faults)} could not be read")
    return "; ".join(parts)
