"""A throw-away repository beside a checkout's: what is made in it reaches the checkout whole, or not at all.

It borrows the checkout's objects. Files, trees and the commit are made and checked here; only then are they handed over,
as one pack. Until that moment nothing was written below the checkout's `.git`, so nothing can be left there half-done.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from perfdb.gitrepo.commands import Git, GitFailed
from perfdb.gitrepo.repository import Repository


class Quarantine:
    """A bare repository in an empty folder of ours.

    Raises:
        GitFailed: it can't be made.
        OSError: it can't be made.
    """

    def __init__(self, repository: Repository, folder: Path) -> None:
        self._repository = repository
        self.folder = folder
        Git(folder.parent).run(
            "init", "--quiet", "--bare", "--template=", f"--object-format={repository.object_format}", str(folder)
        )
        self.git = Git(folder)
        info = folder / "objects" / "info"
        info.mkdir(exist_ok=True)
        (info / "alternates").write_bytes(bytes(repository.path_of("objects").resolve()) + b"\n")
        shallow = repository.path_of("shallow")
        if shallow.exists():
            shutil.copy(shallow, folder / "shallow")

    def blobs(self, files: Sequence[Path]) -> list[str]:
        """The files' contents as blobs, byte for byte whatever the checkout's filters say; their ids, in order."""
        given = b"".join(bytes(path) + b"\n" for path in files)
        return self.git.line("hash-object", "-w", "--no-filters", "--stdin-paths", given=given).split()

    def commit(self, tree: str, parent: str, message: str, author: dict[str, str]) -> str:
        """A commit, signed if the user signs commits.

        Raises:
            GitFailed: it could not be made, or not signed.
        """
        # In the checkout, so that its own settings say how to sign; but what is written lands here.
        elsewhere = {
            "GIT_OBJECT_DIRECTORY": str(self.folder / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(self._repository.path_of("objects").resolve()),
            **author,
        }
        git = Git(self._repository.top, elsewhere)
        sign = ["-S"] if git.maybe("config", "--type=bool", "commit.gpgsign") == "true" else []
        given = message.encode("utf-8", "replace")
        return git.line("-c", "i18n.commitEncoding=UTF-8", "commit-tree", *sign, "-p", parent, tree, given=given)

    def hand_over(self, commit: str, parent: str) -> None:
        """Put all that the commit has and its parent has not into the checkout's objects.

        Raises:
            GitFailed: the checkout's objects can't be written.
        """
        with tempfile.TemporaryFile(dir=self.folder) as pack:
            pack.write(
                self.git.run(
                    "pack-objects", "--revs", "--stdout", "-q", "--window=0", given=f"{commit}\n^{parent}\n".encode()
                )
            )
            pack.seek(0)
            self._repository.git.run("index-pack", "--stdin", given=pack)


def _quoted(path: Path) -> str:
    """As git reads a path from a list of paths."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


__all__ = ["GitFailed", "Quarantine"]
