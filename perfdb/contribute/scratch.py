"""A private folder for what is under way; those that killed commands left are swept up."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from perfdb.processes.identity import ProcessIdentity
from perfdb.processes.lock import age_of
from perfdb.processes.state_folder import make_state_folder
from perfdb.registry.durable import cannot_write

OWNER = "owner"
# Another host's owner can't be asked whether it lives; no contribution takes as long as this.
FOREIGN_STALE_S = 86400.0
# Between `mkdir` and the owner's file there is an instant without an owner.
NAMELESS_STALE_S = 60.0


@contextlib.contextmanager
def scratch_folder(state_path: Path) -> Iterator[Path]:
    """A new folder that only we can read, gone afterwards.

    Raises:
        RegistryError: it can't be made.
    """
    shelf = state_path / "contribute"
    folder = shelf / uuid.uuid4().hex
    try:
        make_state_folder(state_path)
        _mkdir(folder)
        (folder / OWNER).write_text(ProcessIdentity.mine().to_json())
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise cannot_write(folder, error, "Nothing was committed.") from error
    try:
        _sweep(shelf)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            shelf.rmdir()


def _mkdir(folder: Path) -> None:
    while True:
        folder.parent.mkdir(exist_ok=True)
        # Another command that ends takes the empty shelf away.
        with contextlib.suppress(FileNotFoundError):
            folder.mkdir(mode=0o700)
            return


def _sweep(shelf: Path) -> None:
    for folder in shelf.iterdir():
        try:
            owner = ProcessIdentity.from_json((folder / OWNER).read_text())
        except (OSError, UnicodeDecodeError):
            owner = None
        if owner is not None and owner.is_here:
            dead = not owner.alive()
        else:
            dead = age_of(folder) > (FOREIGN_STALE_S if owner else NAMELESS_STALE_S)
        if dead:
            shutil.rmtree(folder, ignore_errors=True)


__all__ = ["scratch_folder"]
