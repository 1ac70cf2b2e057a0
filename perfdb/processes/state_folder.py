"""The folder for what is under way on this machine, which nobody else should ever get."""

from __future__ import annotations

import contextlib
from pathlib import Path

USUAL_NAME = ".perfdb"


def make_state_folder(path: Path) -> None:
    """Make it, if it is not there. Under its usual name it keeps itself from git, as it may lie in a checkout of results.

    Raises:
        OSError: it can't be made.
    """
    path.mkdir(parents=True, exist_ok=True)
    if path.name == USUAL_NAME:
        with contextlib.suppress(FileExistsError), (path / ".gitignore").open("x") as file:
            file.write("*\n")
