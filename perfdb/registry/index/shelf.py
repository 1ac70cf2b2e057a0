"""Where the parts of an index are kept: immutable files, and a list of them that is replaced as a whole.

Whoever reads needs no lock: the list names whole files with their checksums, and a file that a newer list has done away
with means that the list has to be read again. Anything else that is wrong means that there is no index.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
import zlib
from collections.abc import Iterable
from pathlib import Path

from perfdb.processes.identity import ProcessIdentity
from perfdb.processes.lock import Lock
from perfdb.processes.state_folder import make_state_folder
from perfdb.registry.durable import replace, write_new
from perfdb.registry.index.parts import Part

# Another layout, or other columns, are another version; an index of any other than this is made anew.
VERSION = 2
_LIST = "parts.json"
_TRIES = 20


class Shelf:
    """The parts on the disk.

    Args:
        root: The registry. One that lies elsewhere, or is seen by another host, has a shelf of its own.
        state_path: `.perfdb`.
    """

    def __init__(self, root: Path, state_path: Path) -> None:
        name = f"{ProcessIdentity.mine().host}\0{root.resolve()}"
        self.path = state_path / "index" / hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]
        self._state_path = state_path
        self._held: dict[str, Part] = {}

    def lock(self, wait_s: float) -> Lock:
        """For whoever will write."""
        return Lock(self.path.with_name(f"{self.path.name}.lock"), wait_s)

    def load(self) -> list[Part]:
        """The parts as they are listed now; none if there is no index or if anything about it is wrong."""
        for _ in range(_TRIES):
            try:
                document = json.loads((self.path / _LIST).read_bytes())
                if document["version"] != VERSION:
                    break
                listed = {name: int(checksum) for name, checksum in document["parts"]}
            except (OSError, ValueError, KeyError, TypeError):
                break
            try:
                self._held = {name: self._held.get(name) or self._part(name, sum_) for name, sum_ in listed.items()}
            except FileNotFoundError:
                continue
            except (OSError, ValueError):
                break
            return list(self._held.values())
        self._held = {}
        return []

    def keep(self, parts: Iterable[Part]) -> None:
        """Have these, and no others, on the shelf. The caller holds the lock.

        Raises:
            OSError: they can't be written; the shelf is as it was.
        """
        make_state_folder(self._state_path)
        self.path.mkdir(parents=True, exist_ok=True)
        names = {id(part): name for name, part in self._held.items()}
        held = {}
        for part in parts:
            name = names.get(id(part))
            # Somebody may have deleted what we read.
            if name is None or not (self.path / name).exists():
                name = f"{uuid.uuid4().hex}.parquet"
                write_new(self.path / name, part.data)
            held[name] = part
        listed = [[name, zlib.crc32(part.data)] for name, part in held.items()]
        replace(self.path / _LIST, json.dumps({"version": VERSION, "parts": listed}).encode())
        self._held = held
        for path in self.path.iterdir():  # those that were replaced, and what killed writers left
            if path.name != _LIST and path.name not in held:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _part(self, name: str, checksum: int) -> Part:
        data = (self.path / name).read_bytes()
        if zlib.crc32(data) != checksum:
            raise ValueError(f"{name} is damaged")
        return Part.of(data)
