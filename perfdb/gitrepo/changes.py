"""What a branch changes against another, and the bytes of what it adds: from git's objects, nothing is checked out."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import IO, NamedTuple, Self

from perfdb.errors import UsageError
from perfdb.gitrepo.commands import Git, GitFailed, environment

FOLDER = "040000"
ODD = "?"
_PIECE = 1024 * 1024
_LARGEST_TREE = 16 * 1024 * 1024
_DEEPEST = 24


class Entry(NamedTuple):
    """What a folder says of one thing in it."""

    mode: str
    object_id: str


Entries = list[tuple[str, Entry]]


@dataclass(frozen=True)
class Change:
    """One path that differs.

    Attributes:
        status: `A` added, `M` modified, `D` deleted, `T` of another kind now, `?` no folder that git would make.
        mode: Of what is there now, as git writes it: `100644` is a plain file.
        object_id: Of its content.
    """

    path: str
    status: str
    mode: str
    object_id: str


def commit_named(git: Git, revision: str) -> str:
    """The id of the commit that `revision` names.

    Raises:
        UsageError: it names none.
    """
    found = git.maybe("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not found:
        raise UsageError(
            f"git knows no commit {revision!r} here. `git branch --all` lists the branches; or fetch it first."
        )
    return found


def common_commit(git: Git, base: str, head: str) -> str:
    """The commit at which `head` left `base`.

    Raises:
        UsageError: they have none in common or more than one, or the checkout is too shallow to tell.
    """
    found = (git.maybe("merge-base", "--all", base, head) or "").split()
    if not found:
        raise UsageError(
            f"{head[:12]} and {base[:12]} have no commit in common. If this is a shallow clone: git fetch --unshallow."
        )
    if len(found) > 1:
        # Against one of them the branch may seem to change nothing where a merge would take back what the base has.
        raise UsageError(
            f"{head[:12]} and {base[:12]} were merged into each other crosswise, so that what the branch changes cannot be "
            "told. Put its records on a new branch from the base: perfdb contribute --branch NAME."
        )
    return found[0]


def changes(objects: Objects, old: str, new: str) -> Iterator[Change]:
    """Every path that differs between two commits; a rename is a deletion and an addition.

    Lazy, as `git diff` is not: a few objects can make up a tree that never comes to its end. Take no more than are wanted.

    Raises:
        GitFailed: git does not answer.
    """
    yield from _between(objects, objects.tree(f"{old}^{{tree}}"), objects.tree(f"{new}^{{tree}}"), "")


def _between(objects: Objects, old: Entries | None, new: Entries | None, where: str) -> Iterator[Change]:
    if new is None or where.count("/") > _DEEPEST:
        yield Change(where.rstrip("/"), ODD, FOLDER, "")
        return
    before, after = dict(old or ()), dict(new)
    if len(after) < len(new) or any(not name or "/" in name for name in after):
        yield Change(where.rstrip("/"), ODD, FOLDER, "")
        return
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        if was != now:
            yield from _of_one(objects, was, now, f"{where}{name}")
    if not new and where and not old:
        yield Change(where.rstrip("/"), ODD, FOLDER, "")


def _of_one(objects: Objects, was: Entry | None, now: Entry | None, path: str) -> Iterator[Change]:
    old = was if was is not None and was.mode == FOLDER else None
    new = now if now is not None and now.mode == FOLDER else None
    if old or new:
        nothing: Entries = []
        yield from _between(
            objects,
            objects.tree(old.object_id) if old else nothing,
            objects.tree(new.object_id) if new else nothing,
            f"{path}/",
        )
    there, here = (None if old else was), (None if new else now)
    if here is not None:
        status = "A" if there is None else "M" if there.mode[:2] == here.mode[:2] else "T"
        yield Change(path, status, here.mode, here.object_id)
    elif there is not None:
        yield Change(path, "D", there.mode, there.object_id)


def paths_below(git: Git, commit: str, folder: str, ending: str) -> Iterator[str]:
    """The files in a folder of a commit, at any depth, whose paths end so; by their paths from the top.

    Raises:
        GitFailed: git does not answer.
    """
    argv = git.argv("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit, "--", f"{folder}/")
    with contextlib.closing(_listed(argv)) as paths:
        yield from (path for path in paths if path.endswith(ending))


def _listed(argv: list[str]) -> Generator[str]:
    """What a command lists, each closed by a NUL; the listing is never held whole, and the command ends with the reader."""
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
        )
    except OSError as error:
        raise _silent() from error
    rest = b""
    with process:
        assert process.stdout is not None
        try:
            while piece := process.stdout.read(_PIECE):
                *whole, rest = (rest + piece).split(b"\0")
                yield from (each.decode("utf-8", "surrogateescape") for each in whole)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise _silent()


class Objects:
    """Contents of objects, through git processes that are kept open."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._digits = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._processes.values():
            process.kill()
            process.communicate()

    def size(self, name: str) -> int | None:
        """How many bytes a blob has, named by id or as COMMIT:PATH; None where there is no such blob.

        Raises:
            GitFailed: git does not answer.
        """
        # Asked of a process of its own: the one that gives contents would send even the largest whole.
        return self._ask("--batch-check", name)[0]

    def read(self, name: str, most: int) -> bytes | None:
        """A blob's content; None where there is none, or it has more bytes than `most`.

        Raises:
            GitFailed: git does not answer.
        """
        size = self.size(name)
        if size is None or size > most:
            return None
        size, answers = self._ask("--batch", name)
        if size is None:
            return None
        data = answers.read(size)
        answers.read(1)
        return data if len(data) == size else None

    def tree(self, name: str) -> Entries | None:
        """What lies directly in a folder; None where there is none, or it is larger than any that people make.

        Raises:
            GitFailed: git does not answer.
        """
        size = self._ask("--batch-check", name, "tree")[0]
        if size is None or size > _LARGEST_TREE:
            return None
        size, answers = self._ask("--batch", name, "tree")
        data = answers.read(size or 0)
        answers.read(1)
        found: Entries = []
        at, digits = 0, self._bytes_of_an_id()
        while at < len(data):
            end = data.find(b"\0", at)
            if end < 0 or end + 1 + digits > len(data):
                return None
            mode, _, label = data[at:end].partition(b" ")
            at = end + 1 + digits
            entry = Entry(mode.decode("ascii", "replace").zfill(6), data[end + 1 : at].hex())
            found.append((label.decode("utf-8", "surrogateescape"), entry))
        return found

    def _bytes_of_an_id(self) -> int:
        if not self._digits:
            self._digits = 32 if self._git.line("rev-parse", "--show-object-format") == "sha256" else 20
        return self._digits

    def _ask(self, how: str, name: str, kind: str = "blob") -> tuple[int | None, IO[bytes]]:
        process = self._processes.get(how) or self._start(how)
        assert process.stdin is not None and process.stdout is not None
        if "\n" in name:  # would be two questions
            return None, process.stdout
        try:
            process.stdin.write(f"{name}\n".encode("utf-8", "surrogateescape"))
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError as error:
            raise _silent() from error
        if not line:
            raise _silent()
        head = line.decode(errors="replace").rsplit(" ", 2)
        known = len(head) == 3 and head[1] == kind and head[2].strip().isdigit()
        return int(head[2]) if known else None, process.stdout

    def _start(self, how: str) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(
                self._git.argv("cat-file", how),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
            )
        except OSError as error:
            raise _silent() from error
        self._processes[how] = process
        return process


def _silent() -> GitFailed:
    return GitFailed("git does not answer. `git fsck` tells whether the repository is damaged")
