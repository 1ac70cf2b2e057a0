"""What was just said about records, shown in MLflow at once where that is quickly done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from perfdb.runner.mirroring import Listener
from perfdb.settings import Settings
from perfdb.tracking import MirrorSession, Target


def show_remarks(settings: Settings, listener: Listener, folders: Sequence[Path]) -> int:
    """Have the runs of these records show what is said about them; how many do so now.

    It takes about as long as MLflow may cost a run (`mlflow_timeout_s`). What is left is for `perfdb sync`, and the
    listener hears why.

    Args:
        folders: The records', in the registry.
    """
    target = Target.of(settings)
    if target.database is not None and not target.database.exists():
        return 0  # there is no chart yet that could show the old number
    shown = 0
    with MirrorSession(target, settings.mlflow_timeout_s) as session:
        begun = time.monotonic()
        for folder in folders:
            if session.mirror(folder) is None:
                listener.warn(str(session.warning))
                break
            shown += 1
            begun = begun if shown > 1 else time.monotonic()  # importing MLflow is not its fault
            if time.monotonic() - begun > settings.mlflow_timeout_s and shown < len(folders):
                listener.warn(
                    f"MLflow shows it at {shown} of {len(folders)} records; `perfdb sync` sees to the others."
                )
                break
    return shown
