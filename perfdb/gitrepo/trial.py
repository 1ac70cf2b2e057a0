"""Finding out whether a remote takes a branch, without sending one."""

from __future__ import annotations

from pathlib import Path

from perfdb.gitrepo.commands import environment

# Nobody has a branch of this name, and none is made.
_BRANCH = "refs/heads/perfdb-doctor"


def trial_push(folder: Path, remote: str) -> tuple[list[str], dict[str, str]]:
    """The command that asks a remote, and its whole environment: no hook runs, no program of git's asks for a password.

    Args:
        folder: Of a checkout with at least one commit.
    """
    argv = ["git", "-C", str(folder), "push", "--dry-run", "--no-verify", "--no-follow-tags", "--no-progress"]
    argv += ["--recurse-submodules=no", "--no-signed", "--", remote, f"HEAD:{_BRANCH}"]
    # Empty, they keep git from asking in a window.
    return argv, {**environment(), "GIT_ASKPASS": "", "SSH_ASKPASS_REQUIRE": "never"}
