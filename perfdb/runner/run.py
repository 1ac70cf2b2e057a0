"""One run from the request to the record, and on to MLflow."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from perfdb import __version__
from perfdb.capture.machine import host_key, load_now, machine_document, machine_fingerprint, machine_label
from perfdb.errors import Interrupted, PerfdbError, RegistryError
from perfdb.families import FAMILIES, Family
from perfdb.gitrepo import checkout_of
from perfdb.record import Record, Scalar
from perfdb.redaction import Identity, Redactor
from perfdb.registry import Journal, Registry
from perfdb.runner.assemble import record_of
from perfdb.runner.lab import MeasurementStopped, Observer
from perfdb.runner.measuring import begin
from perfdb.runner.outputs import check_writable, write_outputs
from perfdb.runner.request import RunRequest
from perfdb.settings import Settings

OWN_FOLDER = Path(__file__).parents[2]


class Mirror(Protocol):
    """MLflow as a run sees it: it may be slow, down or absent, and nothing here raises for that."""

    def prepare(self, request: RunRequest, journal: Journal) -> None:
        """A run is about to be set up; whatever takes long may start in another process."""

    def open(self) -> None:
        """The measurement begins now: show the run as running, and be quiet until `show`."""

    def show(self, folder: Path, journal: Journal) -> None:
        """The record is kept: bring it over."""

    def close(self) -> None:
        """Nothing was measured."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for, before settings and defaults fill it in."""

    family: Family
    target: str
    spec: Mapping[str, Scalar]
    run_name: str | None
    experiment: str | None
    machine: str | None
    timeout_s: float | None
    python: Path
    parsl: str | None
    release: str | None = None
    overrides: Mapping[str, Scalar] = field(default_factory=dict)
    reproduces: str | None = None
    output_dir: Path | None = None
    nodes_config: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """A run that is over and kept.

    Attributes:
        record: What it gave.
        folder: Where the record lies.
        parsl_logs: Parsl's own logs, kept when something went wrong.
        outputs: Where the family's own files went, if they were asked for.
    """

    record: Record
    folder: Path
    parsl_logs: Path | None
    outputs: Path | None = None


class NotWritten(RegistryError):
    """The record is kept; the run's own files could not be written, and the journal stays for `perfdb sync`."""

    def __init__(self, error: RegistryError, outcome: Outcome) -> None:
        super().__init__(str(error))
        self.outcome = outcome


def request_for(asked: Asked, settings: Settings, started_at: datetime) -> RunRequest:
    """The request with every default filled in."""
    checkout = checkout_of(settings.root)
    # An installed perfdb may lie below somebody's repository, whose commit is not its own.
    own = checkout_of(OWN_FOLDER) if (OWN_FOLDER / ".git").exists() else None
    key = host_key(checkout.first_commit if checkout else "")
    load = load_now()
    return RunRequest(
        family=asked.family.name,
        target=asked.target,
        spec=_without_paths(asked),
        run_name=asked.run_name or f"{_plain_name(asked)}-{started_at:%Y%m%d-%H%M%S}",
        experiment=asked.experiment or asked.family.name,
        machine=machine_label(asked.machine or settings.machine, key),
        timeout_s=asked.timeout_s,
        python=asked.python,
        parsl=asked.parsl,
        release=asked.release,
        overrides=dict(asked.overrides),
        reproduces=asked.reproduces,
        output_dir=asked.output_dir,
        nodes_config=asked.nodes_config,
        host_key=key,
        started_at=started_at,
        perfdb_version=__version__,
        commit=own.commit if own else None,
        dirty=own.dirty if own else None,
        work_path=settings.work_path,
        load_at_start=load.model_dump() if load else None,
    )


def _plain_name(asked: Asked) -> str:
    """What a run is called that nobody named."""
    if asked.family.subject is not None:  # such as an address
        return asked.family.name
    return _plain(Path(asked.target))


def _without_paths(asked: Asked) -> dict[str, Scalar]:
    """The spec for the record: a config by its name."""
    named = {} if asked.nodes_config is None else {asked.family.nodes_option: _plain(asked.nodes_config)}
    return {**asked.spec, **named}


def _plain(config: Path) -> str:
    """A file's name as part of a record: nobody chose it for that, so it may hold anything, a user's name too."""
    stem = Redactor((), Identity.here()).text(config.stem)
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("_")[:100] or "config"


def run(asked: Asked, settings: Settings, observer: Observer, mirror: Mirror) -> Outcome:
    """Measure, keep the record, then show it in MLflow.

    Raises:
        PerfdbError: nothing could be measured, or the record could not be written; the message says which, and where
            the measurement is kept.
        Interrupted: before anything was measured, or after the record was safe.
    """
    begun = time.monotonic()
    registry = Registry(settings.registry_path)
    registry.check_writable()
    if asked.output_dir is not None:
        check_writable(asked.output_dir)
    request = request_for(asked, settings, datetime.now(UTC))
    journal = Journal.create(settings.state_path, request.model_dump(mode="json"))
    try:
        mirror.prepare(request, journal)
        _measure(request, settings, journal, observer, mirror.open)
    except (PerfdbError, KeyboardInterrupt) as stopped:
        if not journal.log_paths():  # nothing was measured, so there is nothing to keep
            mirror.close()
            _remove_work(request, journal)
            journal.remove()
            if isinstance(stopped, PerfdbError):
                raise
            raise Interrupted("interrupted before anything was measured; nothing was left behind.") from None
        if isinstance(stopped, PerfdbError):
            raise
    try:
        write_end(journal, time.monotonic() - begun)
        outcome = keep(journal, settings)
        mirror.show(outcome.folder, journal)
    except KeyboardInterrupt:
        mirror.close()
        raise Interrupted(
            "interrupted after the measurement: it is safe, and `perfdb sync` finishes what is left to do."
        ) from None
    return outcome


def keep(journal: Journal, settings: Settings) -> Outcome:
    """Make the journal's record and put it into the registry.

    Raises:
        RegistryError: it can't be written; the journal stays, and `perfdb sync` tries again.
        NotWritten: the record is kept, and the same holds for the files that were asked for besides.
    """
    registry = Registry(settings.registry_path)
    record, files, setup = record_of(journal)
    journal.release_ballast()
    try:
        folder = registry.save(record, files)
        journal.write("recorded.json", {"record_id": record.record_id, "folder": str(folder)})
        if setup is not None:
            machine = record.environment.machine
            registry.save_machine(machine, machine_fingerprint(setup.host), machine_document(setup.host))
    except RegistryError as error:
        raise RegistryError(
            f"{error} The measurement itself is safe in {journal.path}: mend that, then `perfdb sync` makes its record."
        ) from error
    request = RunRequest.model_validate(journal.read("request.json"))
    logs = request.work_path / journal.run
    try:
        outputs = write_outputs(request, record, journal)
    except RegistryError as error:
        raise NotWritten(error, Outcome(record, folder, logs if logs.exists() else None)) from error
    parsl_ran = FAMILIES[request.family].subject is None or request.nodes_config is not None
    if record.status == "ok" or not parsl_ran:  # only Parsl writes logs of its own there
        _remove_work(request, journal)
    return Outcome(record, folder, logs if logs.exists() else None, outputs)


def _measure(
    request: RunRequest, settings: Settings, journal: Journal, observer: Observer, before_first: Callable[[], None]
) -> None:
    measuring = begin(request, settings, journal, observer, before_first)
    try:
        with contextlib.suppress(MeasurementStopped):
            while not measuring.over:
                measuring.step()
    finally:
        measuring.close()


def write_end(journal: Journal, duration_s: float) -> None:
    """Close the run: from here on it is whole, whatever else fails."""
    load = load_now()
    with contextlib.suppress(RegistryError):  # without it the record says `interrupted`, which is better than no record
        journal.write(
            "end.json",
            {
                "ended_at": datetime.now(UTC).isoformat(),
                "duration_s": round(duration_s, 6),
                "load": load.model_dump() if load else None,
            },
        )


def _remove_work(request: RunRequest, journal: Journal) -> None:
    shutil.rmtree(request.work_path / journal.run, ignore_errors=True)
