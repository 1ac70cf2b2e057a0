"""What a commit adds to a registry, read from git's objects: it is never checked out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from perfdb.gitrepo.changes import Change, Objects, paths_below
from perfdb.gitrepo.commands import Git
from perfdb.registry.store import RECORD_FILE
from perfdb.registry.validator.tree import Item, Kind, Unreadable

_KINDS: Mapping[str, Kind] = {"100644": "file", "100755": "executable", "120000": "link"}


class CommitTree:
    """The registry as it will be once the change is merged; only what the change adds is judged.

    Args:
        base: The commit that has the registry so far.
        registry: Its path from the repository's top.
        added: What is added to it, by path below it.
    """

    def __init__(self, git: Git, objects: Objects, base: str, registry: str, added: Mapping[str, Change]) -> None:
        self._git, self._objects, self._base, self._registry = git, objects, base, registry
        self._added = added

    def items(self) -> Iterator[Item]:
        """What is to be judged, in the order of paths."""
        for path in sorted(self._added):
            yield Item(path, _KINDS.get(self._added[path].mode, "other"))

    def read(self, path: str, most: int) -> bytes:
        """A plain file of at most `most` bytes.

        Raises:
            Unreadable: it can't be had.
        """
        change = self._added.get(path)
        if change is not None and change.mode not in ("100644", "100755"):
            raise Unreadable("is no plain file")
        name = change.object_id if change else self._in_base(path)
        size = self._objects.size(name)
        if size is None:
            raise Unreadable("is not there")
        data = self._objects.read(name, most) if size <= most else None
        if data is None:
            raise Unreadable(f"is larger than {most} bytes")
        return data

    def has(self, path: str) -> bool:
        """Whether a plain file will be there after the merge."""
        change = self._added.get(path)
        if change is not None:
            return change.mode == "100644"
        # Asked of the folder: a partial clone has that, and not the file.
        folder, _, name = path.rpartition("/")
        return any(
            label == name and each.mode == "100644" for label, each in self._objects.tree(self._in_base(folder)) or ()
        )

    def record_ids(self) -> frozenset[str]:
        """The ids of all records, those of the base and those that are added."""
        new = (path for path in self._added if path.endswith(f"/{RECORD_FILE}"))
        return frozenset(path.split("/")[3] for path in (*self._before, *new) if path.count("/") == 4)

    def others(self, month: str) -> Sequence[str]:
        """Where the base's records of a month (`2026-11`) are."""
        return [path for path in self._before if path.split("/")[2] == month and path not in self._added]

    @cached_property
    def _before(self) -> tuple[str, ...]:
        """Where the base's records are, below the registry."""
        skip = len(self._registry) + 1
        found = (p[skip:] for p in paths_below(self._git, self._base, self._registry, f"/{RECORD_FILE}"))
        return tuple(path for path in found if path.count("/") == 4 and not path.startswith("_"))

    def _in_base(self, path: str) -> str:
        return f"{self._base}:{self._registry}/{path}"
