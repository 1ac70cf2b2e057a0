"""Cluster jobs that a run could not cancel at its end, kept in `.perfdb/left/<run>.json` until somebody can.

A scheduler that is down when a run ends still has the run's jobs in its queue when it comes back.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from perfdb.platforms.cancel import Left, cancel_left
from perfdb.record.model import Frozen
from perfdb.registry.durable import cannot_write, replace

# What tells a batch system's commands which cluster is meant.
CLUSTER_VARIABLES = ("SLURM_CONF", "SLURM_CLUSTERS", "KUBECONFIG")


class Leftovers(Frozen):
    """One run's. `cluster`: the variables that say to which cluster the commands spoke then."""

    left: tuple[Left, ...]
    cluster: dict[str, str]


def keep_left(state_path: Path, run: str, left: Sequence[Left]) -> None:
    """Note them, beside what is noted of the run already.

    Raises:
        RegistryError: it can't be written.
    """
    path = state_path / "left" / f"{run}.json"
    before = _read(path)
    noted = Leftovers(left=(*(before.left if before else ()), *left), cluster=_cluster_here())
    try:
        path.parent.mkdir(exist_ok=True, mode=0o700)
        replace(path, noted.model_dump_json().encode())
    except OSError as error:
        raise cannot_write(path, error, "The jobs are not forgotten only as long as you remember them.") from error


def end_left(state_path: Path, say: Callable[[str], None]) -> tuple[str, ...]:
    """Try to cancel what earlier runs left on the cluster that the commands speak to now; says what became of it.

    A cluster that was made anew in the old one's place gives the old ids to new jobs: those of other names are left alone.

    Returns:
        A paragraph for each run of which some jobs are left still.
    """
    troubles = []
    for path in sorted((state_path / "left").glob("[!.]*.json")):
        noted = _read(path)
        if noted is None:
            if path.exists():
                troubles.append(
                    f"{path}, which names cluster jobs that could not be cancelled, cannot be read. Look into your queue "
                    "yourself, then remove that file."
                )
            continue
        conf = noted.cluster.get("SLURM_CONF")
        gone = conf is not None and not Path(conf).exists()  # a pocket cluster that was taken down, jobs and all
        if noted.cluster != _cluster_here() and not gone:
            told = " ".join(f"{name}={value}" for name, value in noted.cluster.items()) or "none of them set"
            troubles.append(
                f"cluster jobs of the run {path.stem} could not be cancelled when it ended: {_ids(noted.left)}. They are "
                f"another cluster's than {' and '.join(CLUSTER_VARIABLES)} name now; `perfdb sync` with {told} tries again."
            )
            continue
        left = () if gone else tuple(_still(each) for each in noted.left)
        left = tuple(each for each in left if each.job_ids)
        if left:
            troubles.append(
                f"cluster jobs of the run {path.stem} could not be cancelled: {_ids(left)}. Is the scheduler there? "
                "`perfdb sync` tries again."
            )
        else:
            became = "are gone with their cluster" if gone else "are over, or cancelled now"
            say(
                f"the cluster jobs of the run {path.stem[:8]} that could not be cancelled when it ended {became}: "
                f"{_ids(noted.left)}"
            )
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return tuple(troubles)


def _still(left: Left) -> Left:
    return left.model_copy(update={"job_ids": cancel_left(left)})


def _ids(left: Sequence[Left]) -> str:
    return ", ".join(job_id for each in left for job_id in each.job_ids)


def _cluster_here() -> dict[str, str]:
    return {name: os.environ[name] for name in CLUSTER_VARIABLES if name in os.environ}


def _read(path: Path) -> Leftovers | None:
    try:
        return Leftovers.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
