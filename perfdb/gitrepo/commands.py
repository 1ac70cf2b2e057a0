"""Running git itself, for what GitPython cannot do: objects without an index, on whichever repository we say.

GitPython hands every command the caller's GIT_DIR and GIT_INDEX_FILE, as they stand inside a hook; here they are dropped.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from perfdb.errors import RegistryError

# What would point git at another repository than the one that we name, or have it read paths otherwise.
_ELSEWHERE = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ICASE_PATHSPECS",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
_QUIET = {"LC_ALL": "C", "LANGUAGE": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_FLUSH": "1"}
# A password may hold `@` and `/`: the last `@` decides.
_CREDENTIALS = re.compile(r"(?<=://)[^\s'\"]*@")
LONGEST_WORDS = 800


class GitFailed(RegistryError):
    """A git command failed; the message is what git said, in one line and without credentials."""


def environment() -> dict[str, str]:
    """What git gets: ours, less what names another repository."""
    return {**{k: v for k, v in os.environ.items() if k not in _ELSEWHERE}, **_QUIET}


def without_credentials(text: str) -> str:
    """The text, with addresses that name no user and no password."""
    return _CREDENTIALS.sub("", text)


def words(said: str) -> str:
    """What git said, in one line: its complaints if it made any, its hints and the credentials in addresses left out."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", without_credentials(said))]
    lines = [line for line in lines if line and not line.startswith("hint:")]
    telling = [line for line in lines if re.match(r"fatal:|error:|remote:|! \[|[^ ]+: .*(denied|refused|failed)", line)]
    text = " ".join("".join(c if c.isprintable() else " " for c in line) for line in (telling or lines))
    return text if len(text) <= LONGEST_WORDS else f"{text[:LONGEST_WORDS]}…"


class Git:
    """git, working on the repository of one folder; no hook runs.

    Args:
        folder: Any folder in a checkout, or a bare repository.
        extra: Variables on top of the environment.
    """

    def __init__(self, folder: Path, extra: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._extra = dict(extra or {})

    def run(self, *arguments: str, given: bytes | IO[bytes] = b"") -> bytes:
        """The output of a command.

        Args:
            given: Its standard input, as bytes or as an open file.

        Raises:
            GitFailed: it failed, or there is no git.
        """
        argv, env = self.argv(*arguments), {**environment(), **self._extra}
        try:
            if isinstance(given, bytes):
                done = subprocess.run(argv, input=given, capture_output=True, env=env, check=False)
            else:
                done = subprocess.run(argv, stdin=given, capture_output=True, env=env, check=False)
        except OSError as error:
            raise _cannot_start(error) from error
        if done.returncode != 0:
            raise GitFailed(words(done.stderr.decode(errors="replace")) or f"git ended with {done.returncode}")
        return done.stdout

    def line(self, *arguments: str, given: bytes = b"") -> str:
        """The output of a command that prints one line, without its end."""
        return self.run(*arguments, given=given).decode("utf-8", "surrogateescape").rstrip("\n")

    def maybe(self, *arguments: str) -> str | None:
        """The same, or None where the command fails."""
        with contextlib.suppress(GitFailed):
            return self.line(*arguments)
        return None

    def argv(self, *arguments: str) -> list[str]:
        """The whole command."""
        return ["git", "-C", str(self.folder), "-c", "core.hooksPath=/dev/null", *arguments]


def push(folder: Path, remote: str, branch: str, on_line: Callable[[str], None], *, progress: bool) -> None:
    """`git push` as the user would type it, hooks and all, but never asking anything and never by force.

    Args:
        on_line: Hears each line that git says, without credentials.
        progress: Whether git should tell how far it is.

    Raises:
        GitFailed: it did not arrive.
    """
    argv = ["git", "-C", str(folder), "push", "--progress" if progress else "--no-progress", "--no-follow-tags"]
    argv += ["--", remote, f"refs/heads/{branch}:refs/heads/{branch}"]
    said = []
    try:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment()
        )
    except OSError as error:
        raise _cannot_start(error) from error
    assert process.stderr is not None
    try:
        with process, open(process.stderr.fileno(), closefd=False, newline=None, errors="replace") as lines:
            for line in lines:
                said.append(line)
                if text := without_credentials(line.strip()):
                    on_line(text)
    except BaseException:
        process.terminate()
        raise
    if process.returncode != 0:
        raise GitFailed(words("".join(said)) or f"git push ended with {process.returncode}")


def _cannot_start(error: OSError) -> GitFailed:
    return GitFailed(f"git cannot be started: {error.strerror}. Install git, or put it on your PATH")
