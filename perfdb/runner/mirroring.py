"""A run in MLflow: opened before the measurement, silent during it, closed with the record after it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Protocol

from perfdb.errors import PerfdbError, RegistryError
from perfdb.registry import Journal
from perfdb.report.charts.drawer import Drawer
from perfdb.runner.request import RunRequest
from perfdb.settings import Settings
from perfdb.tracking import MirrorResult, MirrorSession, Target, address, run_url, server

MLFLOW_FILE = "mlflow.json"


class Listener(Protocol):
    """Who hears of MLflow's troubles."""

    def warn(self, text: str) -> None:
        """Something that the user should know, and that changes no number."""


class RunMirror:
    """See `perfdb.runner.run.Mirror`. What MLflow will not take in time stays in the journal for `perfdb sync`."""

    def __init__(self, settings: Settings, listener: Listener, *, start_server: bool) -> None:
        self.url: str | None = None
        self._settings = settings
        self._listener = listener
        self._start_server = start_server
        self._session = MirrorSession(Target.of(settings), settings.mlflow_timeout_s)
        self._journal: Journal | None = None

    def prepare(self, request: RunRequest, journal: Journal) -> None:
        """Start importing MLflow, in a process of its own."""
        self._journal = journal
        self._session.start_open(
            experiment=request.experiment,
            run_name=request.run_name,
            started_at=request.started_at,
            journal=journal.run,
            tags={"perfdb.family": request.family, "perfdb.machine": request.machine},
        )

    def open(self) -> None:
        """Have the run shown as running. From here to `show`, the process that did it sleeps and nothing is sent."""
        opened = self._session.opened()
        if opened is not None and self._journal is not None:
            with contextlib.suppress(RegistryError):  # the run is found again by its tag
                self._journal.write(MLFLOW_FILE, {"uri": address(self._settings.tracking_uri), "run_id": opened.run_id})

    def show(self, folder: Path, journal: Journal) -> None:
        """Bring the record over, then see that MLflow's pages are there to look at it."""
        with contextlib.ExitStack() as charts:
            drawer = _drawer(charts)
            if drawer is not None:
                drawer.ask(folder)  # drawn while MLflow is busy with the record
            result = self._session.mirror(folder)
            if result is None:
                self._session.close()
                self._listener.warn(str(self._session.warning))
                return
            journal.remove()
            files = drawer.answer() if drawer is not None else None
            if files is not None:  # or else `perfdb sync` sends them
                self._session.send_charts(result, files)
        self._session.close()
        self.url = page_of(self._settings, result, self._listener, start_server=self._start_server)

    def close(self) -> None:
        """Nothing was measured: end the process that MLflow was imported in."""
        self._session.close()


def page_of(settings: Settings, result: MirrorResult, listener: Listener, *, start_server: bool) -> str | None:
    """Where to look at a run: on the server that took it, or on a local one."""
    uri = settings.tracking_uri
    if uri.startswith(("http://", "https://")):
        return run_url(uri, result.experiment_id, result.run_id)
    if not settings.tracking_is_local or not start_server:
        return None
    try:
        return run_url(server.start(settings).url, result.experiment_id, result.run_id)
    except PerfdbError as error:
        listener.warn(str(error))
        return None


def _drawer(stack: contextlib.ExitStack) -> Drawer | None:
    try:
        return stack.enter_context(Drawer())
    except OSError:
        return None  # no room, or no process to be had: the record is safe, and charts are no reason to fail
