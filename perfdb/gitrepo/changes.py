"""What a branch changes against another, and the bytes of what it adds: read from git's objects, nothing is checked out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from perfdb.errors import UsageError
from perfdb.gitrepo.commands import Git, GitFailed, environment


@dataclass(frozen=True)
class Change:
    """One path that differs.

    Attributes:
        status: `A` added, `M` modified, `D` deleted, `T` of another kind now.
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
        UsageError: they have none in common, or the checkout is too shallow to tell.
    """
    found = git.maybe("merge-base", base, head)
    if not found:
        raise UsageError(
            f"{head[:12]} and {base[:12]} have no commit in common. If this is a shallow clone: git fetch --unshallow."
        )
    return found


def changes(git: Git, old: str, new: str) -> Iterator[Change]:
    """Every path that differs between two commits, by path; a rename is a deletion and an addition."""
    listing = git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--no-ext-diff", old, new)
    parts = iter(listing.decode("utf-8", "surrogateescape").split("\0"))
    for facts in parts:
        if not facts:
            return
        _, mode, _, object_id, status = facts.split(" ")
        yield Change(next(parts), status[0], mode, object_id)


def paths_below(git: Git, commit: str, folder: str, ending: str) -> Iterator[str]:
    """The files in a folder of a commit, at any depth, whose paths end so; by their paths from the top.

    Raises:
        GitFailed: git does not answer.
    """
    argv = git.argv("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit, "--", f"{folder}/")
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
        )
    except OSError as error:
        raise _silent() from error
    rest = b""
    with process:
        assert process.stdout is not None
        # A large registry's listing is never held whole.
        while piece := process.stdout.read(1024 * 1024):
            *paths, rest = (rest + piece).split(b"\0")
            yield from (path.decode("utf-8", "surrogateescape") for path in paths if path.endswith(ending.encode()))
    if process.returncode != 0:
        raise _silent()


class Blobs:
    """Contents of objects, through git processes that are kept open."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

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

    def _ask(self, how: str, name: str) -> tuple[int | None, IO[bytes]]:
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
        known = len(head) == 3 and head[1] == "blob" and head[2].strip().isdigit()
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
