"""What a run was asked for: the first thing in its journal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from perfdb.record import Scalar


class RunRequest(BaseModel):
    """One run, asked for and not yet begun. It stays on this machine: the paths in it go into no record.

    Attributes:
        family: A name in FAMILIES.
        target: The Parsl config's file, or what else the family is of.
        spec: The family's own options.
        run_name, experiment, machine: The record's labels.
        timeout_s: Seconds for all children together, or None.
        python: The Python whose Parsl is measured.
        parsl: The commit or path's description when it is no release.
        release: Parsl's release, where one was asked for.
        overrides: Params that are set to other values than the config's file says.
        reproduces: The record whose run this one is to do again.
        host_key: Turns host names into pseudonyms.
        nodes_config: The file of the Parsl config on whose nodes the family's programs run, where it is of something else.
        output_dir: Where the family's own files go besides the record, if anywhere.
        commit, dirty: perfdb's own, where it runs from a checkout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    target: str
    spec: dict[str, Scalar]
    run_name: str
    experiment: str
    machine: str
    timeout_s: float | None
    python: Path
    parsl: str | None = None
    release: str | None = None
    overrides: dict[str, Scalar] = Field(default_factory=dict)
    reproduces: str | None = None
    host_key: str
    started_at: datetime
    perfdb_version: str
    commit: str | None = None
    dirty: bool | None = None
    work_path: Path
    nodes_config: Path | None = None
    output_dir: Path | None = None
    scheduler: str | None = None
    scheduler_version: str | None = None
    scheduler_settings: dict[str, str] | None = None
    load_at_start: dict[str, Any] | None = None

    @property
    def parsl_config(self) -> str:
        """The file of the Parsl config that children load."""
        return self.target if self.nodes_config is None else str(self.nodes_config)
