"""`perfdb sync`: finish what was cut off, and bring MLflow up to date."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def sync(
    no_mlflow: Annotated[bool, typer.Option("--no-mlflow", help="Only make records of runs that were killed.")] = False,
    charts: Annotated[
        bool, typer.Option("--charts", help="Draw the charts of all runs that lack them, not of the newest 100 alone.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """File killed runs, bring MLflow up to date.

    Runs that were killed become records with the status `interrupted`. Doing it twice changes nothing. Exit code 1 when
    something could not be done: what, and what to type, is told.

    \b
    Examples:
      perfdb sync
      MLFLOW_TRACKING_URI=http://127.0.0.1:5000 perfdb sync
    """
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.errors import EXIT_ERROR
    from perfdb.runner.syncing import sync_all
    from perfdb.settings import load_settings

    voice = Voice()
    report = sync_all(load_settings(), voice, with_mlflow=not no_mlflow, every_chart=charts)
    voice.done()
    if as_json:
        print_json(report.document())
    else:
        print(report.sentence())
    for trouble in report.troubles:
        voice.warn(trouble)
    if report.troubles:
        sys.exit(EXIT_ERROR)
