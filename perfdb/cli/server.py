"""`perfdb server start|stop|status`: MLflow's own pages over the local database."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def start(as_json: AsJson = False) -> None:
    """Start the server, or find the one that runs.

    It listens on this machine's loopback only, and shows the local database, where records are mirrored unless
    MLFLOW_TRACKING_URI names another place.

    \b
    Examples:
      perfdb server start
      PERFDB_SERVER_PORT=5050 perfdb server start
    """
    from perfdb.settings import load_settings
    from perfdb.tracking import server

    running = server.start(load_settings())
    _tell(running.url, running.pid, as_json)


@app.command()
def stop(as_json: AsJson = False) -> None:
    """Stop the server. The records and the database stay.

    \b
    Examples:
      perfdb server stop
    """
    from perfdb.cli.terminal import print_json
    from perfdb.settings import load_settings
    from perfdb.tracking import server

    stopped = server.stop(load_settings())
    if as_json:
        print_json({"stopped": stopped})
    else:
        print("stopped" if stopped else "no server was running")


@app.command()
def status(as_json: AsJson = False) -> None:
    """Say whether a server runs, and where. Exit code 1 when none does.

    \b
    Examples:
      perfdb server status
      perfdb server status --json
    """
    from perfdb.cli.terminal import print_json
    from perfdb.settings import load_settings
    from perfdb.tracking import server

    running = server.status(load_settings())
    if running is not None:
        _tell(running.url, running.pid, as_json)
        return
    if as_json:
        print_json({"running": False})
    else:
        print("no server is running; `perfdb server start` starts one")
    sys.exit(1)


def _tell(url: str, pid: int, as_json: bool) -> None:
    from perfdb.cli.terminal import print_json

    if as_json:
        print_json({"running": True, "url": url, "pid": pid})
    else:
        print(f"{url}  (process {pid}; `perfdb server stop` ends it)")
