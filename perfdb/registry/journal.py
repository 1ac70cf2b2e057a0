"""The journal: all of a run that is under way, so that any crash leaves enough to make its record.

.perfdb/journal/<uuid>/
    owner             the process that runs it
    request.json      what was asked for, when, by which perfdb
    setup.json        the described config and the host, once known
    logs/01-rep-1.jsonl    one log a child, written by its supervisor
    logs/01-rep-1.jobs     its cluster jobs' times
    logs/01-rep-1.files    texts that it left for the record, such as a scheduler's log
    sitting.json      the arms it takes turns with, and its turns so far
    waits.json        the plan by which an interrupted sitting is gone on with
    refused.json      why it could not be measured at all
    mlflow.json       the run that was opened in MLflow
    end.json          when it ended, if it came to that
    recorded.json     the record's id and folder, once it is written
    ballast           room kept free for logs and record, should the disk fill up meanwhile
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

from perfdb.errors import RegistryError
from perfdb.processes.identity import ProcessIdentity
from perfdb.processes.lock import age_of
from perfdb.processes.state_folder import make_state_folder
from perfdb.registry.durable import cannot_write, replace

BALLAST_BYTES = 8 * 1024 * 1024
HALF_MADE_S = 60.0
WAITS = "waits.json"


class Journal:
    """One run's folder in the journal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(
        cls,
        state_path: Path,
        request: dict[str, Any],
        *,
        run: str | None = None,
        waits: dict[str, Any] | None = None,
        ballast_bytes: int = BALLAST_BYTES,
    ) -> Journal:
        """Open a journal for a new run of ours.

        Args:
            run: The run's uuid, where it was chosen before.
            waits: Names the plan by which the run is gone on with, if it is interrupted.
            ballast_bytes: Room to keep free for the rest of the logs and for the record.

        Raises:
            RegistryError: it can't be written; nothing was started yet.
        """
        path = state_path / "journal" / (run or uuid.uuid4().hex)
        draft = path.with_name(f".{path.name}")
        try:
            make_state_folder(state_path)
            if run is not None:  # a killed process may have begun it
                shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True, mode=0o700)
            (draft / "logs").mkdir()
            journal = cls(draft)
            journal.write("request.json", request)
            if waits is not None:
                journal.write(WAITS, waits)
            journal.adopt()
            with journal.ballast.open("wb") as file:
                _reserve(file.fileno(), ballast_bytes)
            draft.rename(path)  # seen by others only once it says whose it is
        except (OSError, RegistryError) as error:
            shutil.rmtree(draft, ignore_errors=True)
            cause = error if isinstance(error, OSError) else error.__cause__
            assert isinstance(cause, OSError)
            raise cannot_write(path.parent, cause, "Nothing was measured.") from error
        return cls(path)

    @property
    def run(self) -> str:
        """The run's uuid, which marks its processes."""
        return self.path.name

    @property
    def ballast(self) -> Path:
        """Room for the rest of the logs and for the record, should the disk fill up meanwhile."""
        return self.path / "ballast"

    @property
    def owner(self) -> ProcessIdentity | None:
        """Who runs it."""
        try:
            return ProcessIdentity.from_json((self.path / "owner").read_text())
        except (OSError, UnicodeDecodeError):
            return None

    def adopt(self) -> None:
        """Make it ours, to finish what its owner could not."""
        self.write("owner", asdict(ProcessIdentity.mine()))

    def write(self, name: str, document: Any) -> None:
        """Put a JSON document, whole and on the disk.

        Raises:
            RegistryError: it can't be written.
        """
        path = self.path / name
        try:
            replace(path, json.dumps(document).encode())
        except OSError as error:
            raise cannot_write(path, error, "What is in the journal already stays there for `perfdb sync`.") from error

    def read(self, name: str) -> Any:
        """A JSON document, or None where it was not written."""
        try:
            return json.loads((self.path / name).read_bytes())
        except (OSError, ValueError):
            return None

    def new_log(self, name: str) -> Path:
        """Where the next child's log goes."""
        return self.path / "logs" / f"{len(self.log_paths()) + 1:02}-{name}.jsonl"

    def log_paths(self) -> list[Path]:
        """The children's logs, in the order in which they started."""
        return sorted((self.path / "logs").glob("*.jsonl"), key=lambda path: int(path.name.partition("-")[0]))

    def release_ballast(self) -> None:
        """Give the room back, just before the record needs it."""
        with contextlib.suppress(OSError):
            self.ballast.unlink(missing_ok=True)

    def remove(self) -> None:
        """Everything is where it belongs: forget the journal."""
        grave = self.path.with_name(f".{self.path.name}.done")
        with contextlib.suppress(OSError):
            self.path.rename(grave)
        shutil.rmtree(grave, ignore_errors=True)


def all_journals(state_path: Path) -> list[Journal]:
    """Every journal, whoever runs it; what a crash left of half-made or half-removed ones is swept up."""
    found = []
    for path in sorted((state_path / "journal").glob("*")):
        if path.name.startswith("."):
            owner = Journal(path).owner
            dead = owner.is_here and not owner.alive() if owner else age_of(path) > HALF_MADE_S
            if dead or path.name.endswith(".done"):
                shutil.rmtree(path, ignore_errors=True)
        elif path.is_dir():
            found.append(Journal(path))
    return found


def abandoned_journals(state_path: Path) -> list[Journal]:
    """Journals whose owner on this host is dead. Another host's can only be judged there."""
    owned = ((journal, journal.owner) for journal in all_journals(state_path))
    return [
        journal
        for journal, owner in owned
        # A journal is never without the file: one that can't be read now may be alive.
        if (owner.is_here and not owner.alive() if owner else _readable(journal.path / "owner"))
    ]


def waits(journal: Journal, state_path: Path) -> bool:
    """Whether it belongs to an interrupted sitting that is to be gone on with."""
    told = journal.read(WAITS)
    plan = told.get("plan") if isinstance(told, dict) else None
    return isinstance(plan, str) and (state_path / "sittings" / f"{plan}.json").exists()


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


def _reserve(descriptor: int, size: int) -> None:
    try:
        os.posix_fallocate(descriptor, 0, size)
    except (AttributeError, OSError) as error:
        if getattr(error, "errno", None) in (None, 95, 22):  # not supported here: write it out
            os.write(descriptor, b"\0" * size)
        else:
            raise


__all__ = ["Journal", "abandoned_journals", "all_journals", "waits"]
