"""Where the mirror is: an address, a folder for artifacts, and a folder for locks."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from perfdb.settings import Settings


@dataclass(frozen=True)
class Target:
    """One MLflow, by its tracking URI. The URI may hold a password: show it through `faults.shown` only.

    `report_url` is where the site of `perfdb report` is, which notes link to; "" for nowhere.
    """

    uri: str
    artifact_root: str
    state_path: str
    report_url: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The MLflow that the settings name."""
        state = settings.state_path
        return cls(settings.tracking_uri, str(state / "mlartifacts"), str(state), settings.report_url or "")

    @property
    def is_http(self) -> bool:
        """Whether a server answers there; it then chooses where artifacts lie."""
        return self.uri.startswith(("http://", "https://"))

    @property
    def database(self) -> Path | None:
        """The SQLite file behind it, or None where it is something else."""
        return Path(self.uri.removeprefix("sqlite:///")) if self.uri.startswith("sqlite:///") else None

    @property
    def lock_path(self) -> Path:
        """What perfdb's processes on this state folder hold while they write to this MLflow."""
        name = hashlib.sha256(self.uri.encode()).hexdigest()[:16]
        return Path(self.state_path) / "locks" / f"mlflow-{name}"

    def document(self) -> dict[str, Any]:
        """Plain values, for the child that does the work."""
        return asdict(self)
