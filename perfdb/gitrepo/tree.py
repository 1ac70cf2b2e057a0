"""Trees with files added, made from git's objects: no index, no work tree, and only the folders concerned are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from perfdb.gitrepo.commands import Git

FILE = "100644"
FOLDER = "040000"


@dataclass(frozen=True)
class Clash:
    """A path that is taken."""

    path: str
    why: str


@dataclass(frozen=True)
class Node:
    """One entry of a folder, as git has it."""

    mode: str
    kind: str
    object_id: str


def node_at(git: Git, tree: str, path: str) -> Node | None:
    """What stands at a path below a tree."""
    return _entries(git.run("ls-tree", "-z", tree, "--", path)).get(path)


def folders_below(git: Git, tree: str, path: str) -> set[str]:
    """Every folder below one, at any depth, by its whole path."""
    return set(_entries(git.run("ls-tree", "-r", "-d", "-z", tree, "--", f"{path}/")))


def files_below(git: Git, tree: str, path: str) -> dict[str, Node]:
    """What lies directly in a folder, by its whole path; nothing where there is no such folder."""
    return _entries(git.run("ls-tree", "-z", tree, "--", f"{path}/"))


def add_files(git: Git, tree: str | None, files: Mapping[str, str]) -> tuple[str, set[str], list[Clash]]:
    """A tree with files added, plain ones.

    Args:
        tree: The tree to start from, or None for an empty one.
        files: Blob by path.

    Returns:
        The new tree, the paths that were not there yet, and those that are taken by something else, which stays.
    """
    draft = _Draft(git, tree)
    for path, blob in files.items():
        draft.add(path, blob)
    return draft.written(), draft.new, draft.clashes


class _Draft:
    """The folders that change, opened as paths lead into them and written deepest first, a level at a time."""

    def __init__(self, git: Git, tree: str | None) -> None:
        self._git = git
        self._folders: dict[str, dict[str, Node]] = {"": self._read(tree)}
        self._closed: set[str] = set()
        self.new: set[str] = set()
        self.clashes: list[Clash] = []

    def add(self, path: str, blob: str) -> None:
        where, _, name = path.rpartition("/")
        if not self._open(where):
            return
        there = self._folders[where].get(name)
        if there is None:
            self._folders[where][name] = Node(FILE, "blob", blob)
            self.new.add(path)
        elif there != Node(FILE, "blob", blob):
            self.clashes.append(Clash(path, "stands there already, with another content or of another kind"))

    def written(self) -> str:
        made: dict[str, str] = {}
        for depth in sorted({_depth(folder) for folder in self._folders}, reverse=True):
            level = [folder for folder in self._folders if _depth(folder) == depth]
            given = b"".join(_spelled(self._folders[folder]) + b"\0" for folder in level)
            ids = self._git.line("mktree", "-z", "--missing", "--batch", given=given).splitlines()
            for folder, tree in zip(level, ids, strict=True):
                made[folder] = tree
                if folder:
                    parent, _, name = folder.rpartition("/")
                    self._folders[parent][name] = Node(FOLDER, "tree", tree)
        return made[""]

    def _open(self, folder: str) -> bool:
        if folder in self._folders:
            return True
        if folder in self._closed:
            return False
        parent, _, name = folder.rpartition("/")
        node = self._folders[parent].get(name) if self._open(parent) else None
        if parent in self._closed or (node is not None and node.kind != "tree"):
            self._closed.add(folder)
            if node is not None:
                self.clashes.append(Clash(folder, "is no folder there, but a file, a link or a submodule"))
            return False
        self._folders[folder] = self._read(node.object_id if node else None)
        return True

    def _read(self, tree: str | None) -> dict[str, Node]:
        return _entries(self._git.run("ls-tree", "-z", tree)) if tree else {}


def _depth(folder: str) -> int:
    return folder.count("/") + 1 if folder else 0


def _spelled(folder: Mapping[str, Node]) -> bytes:
    return b"".join(
        f"{node.mode} {node.kind} {node.object_id}\t{name}\0".encode("utf-8", "surrogateescape")
        for name, node in folder.items()
    )


def _entries(listing: bytes) -> dict[str, Node]:
    found = {}
    for line in listing.decode("utf-8", "surrogateescape").split("\0"):
        if line:
            facts, _, path = line.partition("\t")
            mode, kind, object_id = facts.split()
            found[path] = Node(mode, kind, object_id)
    return found
