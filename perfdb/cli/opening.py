"""The registry's index, opened for a command, and what could not be read of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfdb.cli.terminal import Voice
    from perfdb.registry.index import Found, Index


def open_index(voice: Voice) -> Index:
    """The registry's index; a first build tells how far it is."""
    from perfdb.registry.index import Index
    from perfdb.settings import load_settings

    settings = load_settings()

    def told(done: int, total: int) -> None:
        voice.progress("index", f"{done} of {total} records read")

    return Index(settings.registry_path, settings.state_path, told)


def tell_faults(voice: Voice, found: Found) -> None:
    """What could not be read or kept; ends the command with its code if records were left out."""
    from perfdb.errors import EXIT_FAULTS

    if found.remark:
        voice.warn(found.remark)
    for fault in found.faults:
        voice.warn(str(fault))
    if found.faults:
        sys.exit(EXIT_FAULTS)
