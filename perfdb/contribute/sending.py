"""From a branch here to a pull request there: the push, and what to type where it cannot be done from here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence

from perfdb.errors import RegistryError
from perfdb.gitrepo import GitFailed, Repository, push

_HTTPS = re.compile(r"https://(?:[^@/\s]*@)?([A-Za-z0-9.-]*github[A-Za-z0-9.-]*)/([\w.-]+)/([\w.-]+?)(?:\.git)?/?")
# What git says where another push moved the remote's branch between the remote's answer and our request: asked again, it
# tells whether ours is there by now.
_LOST_RACE = "cannot lock ref"
_SSH = re.compile(
    r"(?:ssh://)?[\w.-]+@([A-Za-z0-9.-]*github[A-Za-z0-9.-]*)(?::\d+)?[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?"
)


def send(
    repository: Repository, remote: str | None, branch: str, on_line: Callable[[str], None], *, progress: bool
) -> str:
    """Push a branch, never by force; the remote that it went to.

    Raises:
        RegistryError: it did not arrive; the branch here is kept, and the same command may be repeated.
    """
    if remote is None:
        known = repository.remotes()
        raise RegistryError(
            f"the branch {branch} is ready in {repository.top}, but "
            + (
                f"which of the remotes {', '.join(known)} is it for? Type the same command with --remote NAME."
                if known
                else "this checkout has no remote to push it to. Type: git remote add origin URL, then the same command again."
            )
        )
    for is_last in (False, False, True):
        try:
            push(repository.top, remote, branch, on_line, progress=progress)
            break
        except GitFailed as error:
            if _LOST_RACE in str(error) and not is_last:
                continue
            raise RegistryError(
                f"the push to {remote} failed: {error} -- Nothing is lost: the branch {branch} is kept in {repository.top}. "
                f"{_remedy(str(error), remote, branch)}"
            ) from error
    return remote


def next_commands(repository: Repository, remote: str | None, branch: str, *, pushed: bool) -> list[str]:
    """What brings the branch to the people who can take it in, to be typed one after another."""
    where = shlex.quote(str(repository.top))
    commands = []
    if not pushed:
        if remote is None:
            commands.append(f"git -C {where} remote add origin URL")
        commands.append(push_command(repository, remote or "origin", branch))
    page = _page(repository.remote_url(remote) or "", branch) if remote else None
    commands.append(f"open {page}" if page else f"open a pull request of {branch} where the repository is hosted")
    return commands


def push_command(repository: Repository, remote: str, branch: str) -> str:
    """The push as a person types it."""
    return shlex.join(["git", "-C", str(repository.top), "push", remote, branch])


def _remedy(said: str, remote: str, branch: str) -> str:
    again = "then type the same command again"
    for signs, remedy in _REMEDIES:
        if any(sign in said for sign in signs):
            return remedy.format(remote=remote, branch=branch, again=again)
    return f"Mend that, {again}, or: git push {remote} {branch}."


_REMEDIES: Sequence[tuple[tuple[str, ...], str]] = (
    (
        ("fetch first", "non-fast-forward", "stale info"),
        "There are commits on the remote's branch that are not here: git fetch {remote}, {again}.",
    ),
    (
        (
            "could not read Username",
            "could not read Password",
            "Authentication failed",
            "Permission denied",
            "Permission to",
            "403",
            "401",
        ),
        "You may not push there, or git was not told who you are: set up a token or a key for it, or push to a fork of "
        "your own: git remote add fork URL, {again} with --remote fork.",
    ),
    (
        (_LOST_RACE,),
        "Another push is under way there, or one that was killed left its `.lock`: wait until it is over, or have the lock "
        "removed, {again}.",
    ),
    (
        ("remote rejected", "pre-receive", "protected branch"),
        "The remote's own rules refuse it: do what it says, {again}, or give another name with --branch.",
    ),
    (
        ("Could not resolve", "unable to access", "Connection", "timed out", "Network is unreachable"),
        "Once the network is back: git push {remote} {branch}, or the same command again.",
    ),
    (
        ("does not appear to be a git repository", "not found", "does not exist"),
        "See where it points with git remote -v, put it right with git remote set-url {remote} URL, {again}.",
    ),
)


def _page(url: str, branch: str) -> str | None:
    from urllib.parse import quote

    match = _HTTPS.fullmatch(url) or _SSH.fullmatch(url)
    if match is None:
        return None
    host, owner, name = match.groups()
    return f"https://{host}/{owner}/{name}/pull/new/{quote(branch)}"
