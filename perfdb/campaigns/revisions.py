"""The commits of a checkout between two revisions, in the order in which they came to the branch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perfdb.errors import UsageError
from perfdb.gitrepo import GitFailed, commit_of
from perfdb.gitrepo.commands import Git

# So many on each side of the two are asked whether an end is an odd one, should the nearest not run.
BESIDE = 3


@dataclass(frozen=True)
class Row:
    """What is searched, oldest first, with a few on each side of the two ends."""

    names: tuple[str, ...]
    first: int
    last: int


def commits_between(checkout: Path, good: str, bad: str) -> Row:
    """The commits from `good` to `bad` along the first parents: what was merged counts where it was merged.

    Raises:
        UsageError: one of them is no commit there, or `bad` does not come after `good`.
    """
    ends = []
    for name in (good, bad):
        commit = commit_of(checkout, name)
        if commit is None:
            raise UsageError(
                f"--repo {checkout.name}: that checkout knows no commit {name!r}. `git log --oneline` there lists them."
            )
        ends.append(commit)
    first, last = ends
    git = Git(checkout)
    try:
        between = _listed(git, "--first-parent", f"{first}..{last}")
        if not between or _listed(git, "--max-count=1", f"{between[0]}^1") != [first]:
            between = _listed(git, "--topo-order", "--ancestry-path", f"{first}..{last}")
    except GitFailed as error:
        raise UsageError(
            f"--repo {checkout.name}: git does not list the commits from {good} to {bad} ({error}). Try `git log "
            f"{good}..{bad}` there."
        ) from error
    if not between:
        raise UsageError(
            f"--repo {checkout.name}: {bad} does not come after {good}. Name the earlier one with --good and the later one "
            "with --bad: a change is found whichever way it goes."
        )
    before = _beside(git, "--first-parent", f"--max-count={BESIDE}", f"{first}^1") if _has_parent(git, first) else []
    after = _beside(git, "--first-parent", f"{last}..HEAD")
    # Only what stands on that very commit comes after it.
    after = after[:BESIDE] if after and git.maybe("rev-parse", f"{after[0]}^1") == last else []
    return Row((*before, first, *between, *after), len(before), len(before) + len(between))


def releases_between(known: tuple[str, ...], good: str, bad: str) -> Row:
    """The releases from `good` to `bad`.

    Raises:
        UsageError: one of them is no release, or `bad` is not the later one.
    """
    from perfdb.parsl_config.releases import nearest

    for name in (good, bad):
        if name not in known:
            near = nearest(name, known)
            tail = f"The nearest are {' and '.join(near)}." if near else "Commits are searched with --repo PATH."
            raise UsageError(f"{name!r} is no release of Parsl that can be installed here. {tail}")
    first, last = known.index(good), known.index(bad)
    if first >= last:
        raise UsageError(
            f"{bad} does not come after {good}. Name the earlier one with --good and the later one with --bad: a change is "
            "found whichever way it goes."
        )
    begin = max(0, first - BESIDE)
    return Row(known[begin : last + 1 + BESIDE], first - begin, last - begin)


def _has_parent(git: Git, commit: str) -> bool:
    return git.maybe("rev-parse", "--verify", "--quiet", f"{commit}^1") is not None


def _beside(git: Git, *arguments: str) -> list[str]:
    try:
        return _listed(git, *arguments)
    except GitFailed:
        return []


def _listed(git: Git, *arguments: str) -> list[str]:
    return git.run("rev-list", "--reverse", *arguments, "--").decode().split()
