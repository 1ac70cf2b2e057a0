"""What belongs where in a registry, from the path alone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from perfdb.record import is_label

_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_ID = re.compile(r"[0-9a-f]{16}")
_UUID = re.compile(r"[0-9a-f]{32}")
_RETRACTION = re.compile(r"[0-9a-f]{16}-[0-9a-f]{32}\.json")


@dataclass(frozen=True)
class Place:
    """What a path is for.

    Attributes:
        kind: `odd` is for nothing that a registry has.
        folder: A record's folder; else the path itself.
        name: Within that folder.
    """

    kind: Literal["record", "machine", "annotation", "retraction", "odd"]
    folder: str
    name: str = ""


def place_of(path: str) -> Place:
    """Where a path below the registry belongs."""
    parts = path.split("/")
    stem, dot, ending = parts[-1].partition(".")
    if parts[0] == "_machines":
        if len(parts) == 3 and is_label(parts[1]) and _ID.fullmatch(stem) and dot + ending == ".json":
            return Place("machine", path)
    elif parts[0] == "_annotations":
        if len(parts) == 2 and _UUID.fullmatch(stem) and dot + ending == ".json":
            return Place("annotation", path)
    elif parts[0] == "_retractions":
        if len(parts) == 2 and _RETRACTION.fullmatch(parts[1]):
            return Place("retraction", path)
    elif (
        len(parts) >= 5
        and is_label(parts[0])
        and is_label(parts[1])
        and _MONTH.fullmatch(parts[2])
        and _ID.fullmatch(parts[3])
    ):
        return Place("record", "/".join(parts[:4]), "/".join(parts[4:]))
    return Place("odd", path)
