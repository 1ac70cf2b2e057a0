"""Facts about a checkout, without touching it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


def _allow_no_git() -> None:
    # Without it the import itself fails where there is no git program.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")


@dataclass(frozen=True)
class Checkout:
    """The commit a folder stands at."""

    commit: str
    dirty: bool
    first_commit: str


def checkout_of(folder: Path) -> Checkout | None:
    """What git knows of `folder`, or None where there is no repository, no commit, or no git."""
    _allow_no_git()
    import git

    try:
        with git.Repo(folder, search_parent_directories=True) as repo:
            head = repo.head.commit
            first = repo.git.rev_list("--max-parents=0", "HEAD").split()[-1]
            return Checkout(head.hexsha, repo.is_dirty(untracked_files=False), first)
    except (git.exc.GitError, ValueError, OSError, IndexError):
        return None


def commit_of(folder: Path, ref: str) -> str | None:
    """The commit that `ref` names in that checkout, or None."""
    _allow_no_git()
    import git

    try:
        with git.Repo(folder) as repo:
            return str(repo.git.rev_parse("--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"))
    except (git.exc.GitError, ValueError, OSError):
        return None


def export(folder: Path, commit: str, target: Path) -> None:
    """Write the files of a commit to a new folder; the checkout itself is left alone.

    Raises:
        OSError: it can't be written.
    """
    import tarfile
    import tempfile

    import git

    with git.Repo(folder) as repo, tempfile.TemporaryFile() as archive:
        repo.archive(archive, commit)
        archive.seek(0)
        with tarfile.open(fileobj=archive) as tar:
            tar.extractall(target, filter="data")
