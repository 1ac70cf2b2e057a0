"""A checkout: where its parts lie, what its branches stand at, and moving a branch without touching anything else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from perfdb.errors import RegistryError, UsageError
from perfdb.gitrepo.commands import Git, GitFailed, without_credentials

TRUNKS = ("main", "master")
# What git says of a checkout whose owner is not who asks; the path is the one that its `safe.directory` wants.
_FOREIGN = re.compile(r"dubious ownership in repository at '([^']+)'")


class MovedMeanwhile(RegistryError):
    """A branch no longer stands where it did."""


@dataclass(frozen=True)
class Base:
    """What a contribution is measured against and starts from.

    Attributes:
        name: As a person would say it: `origin/main`.
        commit: Its id.
    """

    name: str
    commit: str


class Repository:
    """One checkout; `top` is its uppermost folder."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.git = Git(top)

    @classmethod
    def around(cls, folder: Path) -> Repository | None:
        """The checkout that a folder lies in, or None where it is in none.

        Raises:
            RegistryError: there is one, and git will not work on it, or it is bare.
        """
        git = Git(folder)
        try:
            top = git.line("rev-parse", "--show-toplevel")
        except GitFailed as error:
            if isinstance(error.__cause__, OSError):
                raise RegistryError(f"{error}; `perfdb doctor git` names the package.") from error
            if git.maybe("rev-parse", "--is-bare-repository") == "true":
                raise RegistryError(
                    f"{folder} is a bare git repository, without a checkout. Contribute from a clone of it: git clone "
                    f"{folder} NAME, and set PERFDB_ROOT to that."
                ) from error
            if "not a git repository" in str(error) or not folder.is_dir():
                return None
            if foreign := _FOREIGN.search(str(error)):
                raise RegistryError(
                    f"git will not work on {folder}: the checkout belongs to another user. If you trust it, type git config "
                    f"--global --add safe.directory {foreign[1]}, then the same command again."
                ) from error
            raise RegistryError(
                f"git will not work on {folder}: {error}. Mend that, then type the same command again."
            ) from error
        return cls(Path(top))

    @classmethod
    def begin(cls, folder: Path) -> Repository:
        """A new checkout in a folder that is none, on the branch main, without a commit.

        Raises:
            GitFailed: git could not make it.
        """
        git = Git(folder)
        git.run("init", "--quiet")
        git.run("symbolic-ref", "HEAD", f"refs/heads/{TRUNKS[0]}")  # gits before 2.28 can't be told with `init`
        return cls(folder)

    def path_of(self, name: str) -> Path:
        """Where git keeps one of its own files."""
        return self.top / self.git.line("rev-parse", "--git-path", name)

    @property
    def object_format(self) -> str:
        """sha1 or sha256."""
        return self.git.line("rev-parse", "--show-object-format")

    def commit_at(self, rev: str) -> str | None:
        """The commit that a name stands for, or None."""
        return self.git.maybe("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")

    def tree_of(self, commit: str) -> str:
        """A commit's tree."""
        return self.git.line("rev-parse", "--verify", f"{commit}^{{tree}}")

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` holds all that `older` does."""
        return self.git.maybe("merge-base", "--is-ancestor", older, newer) is not None

    def remotes(self) -> list[str]:
        """The remotes' names."""
        return self.git.line("remote").split()

    def remote_named(self, asked: str | None) -> str | None:
        """The remote asked for, else `origin`, else the only one, else None.

        Raises:
            UsageError: there is none of the name asked for.
        """
        known = self.remotes()
        if asked is not None:
            if asked not in known:
                raise UsageError(
                    f"this checkout has no remote {without_credentials(asked)!r} (there: {', '.join(known) or 'none'}). Add it with git remote "
                    f"add NAME URL, or give one of those with --remote."
                )
            return asked
        return "origin" if "origin" in known else known[0] if len(known) == 1 else None

    def remote_url(self, remote: str) -> str | None:
        """Where a push to it goes."""
        return self.git.maybe("remote", "get-url", "--push", "--", remote)

    def base(self, asked: str | None, remote: str | None) -> Base:
        """What a contribution starts from: what was asked for, else the remote's own trunk, else ours.

        Raises:
            UsageError: there is no such commit.
            RegistryError: there is nothing to start from.
        """
        if asked is not None:
            commit = self.commit_at(asked)
            if commit is None:
                raise UsageError(f"--base {asked}: this checkout has no such commit. Fetch it, or name another.")
            return Base(asked, commit)
        # A fork that was never fetched has no trunk here: what it was forked from is `origin` then.
        for place in dict.fromkeys(name for name in (remote, "origin") if name is not None):
            head = self.git.maybe("symbolic-ref", "--quiet", f"refs/remotes/{place}/HEAD")
            named = [head.removeprefix(f"refs/remotes/{place}/")] if head else []
            for branch in (*named, *TRUNKS):
                if commit := self.commit_at(f"refs/remotes/{place}/{branch}"):
                    return Base(f"{place}/{branch}", commit)
        for branch in TRUNKS:
            if commit := self.commit_at(f"refs/heads/{branch}"):
                return Base(branch, commit)
        if self.commit_at("HEAD") is None:
            steps = 'Make a first commit: git commit --allow-empty --message "Begin"'
            steps += "; then type the same command again with --base HEAD"
        else:
            first = f"Type git fetch {remote}; or type" if remote else "Type"
            steps = f"{first} the same command again with --base HEAD"
        raise RegistryError(
            f"there is nothing in {self.top} to start a branch from: no main branch of a remote that was fetched, no main, "
            f"no master. {steps}, or another commit's name."
        )

    def check_branch(self, branch: str) -> None:
        """Find out whether a branch can be written without disturbing anybody.

        Raises:
            UsageError: it is no name for a branch, or it is checked out somewhere.
        """
        if branch.startswith("-") or self.git.maybe("check-ref-format", f"refs/heads/{branch}") is None:
            raise UsageError(f"{branch!r} cannot name a git branch. Give another with --branch.")
        where = None
        for line in self.git.line("worktree", "list", "--porcelain").splitlines():
            if line.startswith("worktree "):
                where = line.removeprefix("worktree ")
            if line == f"branch refs/heads/{branch}":
                raise UsageError(
                    f"the branch {branch} is checked out in {where}, and perfdb changes no files that you work on. Give "
                    f"another branch with --branch, or switch that checkout to another one first: git -C {where} switch "
                    "--detach."
                )

    def author(self) -> dict[str, str]:
        """Who commits, as git's own configuration says; the variables that tell git so anywhere else.

        Raises:
            RegistryError: git does not know.
        """
        found = {}
        for role in ("AUTHOR", "COMMITTER"):
            # Without useConfigOnly, git would make one up from the user's and the host's name.
            try:
                ident = self.git.line("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT")
            except GitFailed as error:
                raise RegistryError(
                    "git does not know whose commit this is to be. Nothing was done. Tell it, and try again:\n"
                    '  git config --global user.name "Your Name"\n'
                    "  git config --global user.email you@example.org"
                ) from error
            match = re.fullmatch(r"(.*) <(.*)> \d+ [+-]\d+", ident)
            if match:
                found[f"GIT_{role}_NAME"], found[f"GIT_{role}_EMAIL"] = match.groups()
        return found

    def move_branch(self, branch: str, old: str | None, new: str) -> None:
        """Have a branch stand at `new`, if it still stands at `old`; None is not there yet.

        Raises:
            MovedMeanwhile: it does not.
            RegistryError: git could not write it.
        """
        ref = f"refs/heads/{branch}"
        try:
            # Two at once wait for one another rather than fail.
            wait = ("-c", "core.filesRefLockTimeout=3000")
            self.git.run(*wait, "update-ref", "--create-reflog", "-m", "perfdb contribute", ref, new, old or "")
        except GitFailed as error:
            if self.commit_at(ref) != old:
                raise MovedMeanwhile(f"the branch {branch} was moved by somebody else: {error}") from error
            raise
