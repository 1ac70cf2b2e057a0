"""A git address and a reference, brought down to the commit that they name now: a branch moves, a commit does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from perfdb.errors import ParslInstallError
from perfdb.gitrepo import GitFailed
from perfdb.gitrepo.commands import Git, without_credentials
from perfdb.redaction import Redactor

UPSTREAM = "git+https://github.com/Parsl/parsl"
_TRANSPORTS = frozenset(["https", "http", "ssh", "git", "file"])
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Address:
    """`git+URL@REF#fragment`, in its parts. The URL may hold a password."""

    url: str
    ref: str
    fragment: str

    @property
    def shown(self) -> str:
        """The address, with no user and no password in it."""
        return without_credentials(f"git+{self.url}@{self.ref}")

    @property
    def recorded(self) -> str:
        """What a record says of it: hosts are named in none, and Parsl's own repository needs no host."""
        if self.url == UPSTREAM.removeprefix("git+"):
            return Redactor().text(f"Parsl's own repository at {self.ref}")
        return Redactor().text(self.shown)

    def at(self, commit: str) -> str:
        """What an installer is told."""
        return f"parsl @ git+{self.url}@{commit}{self.fragment}"


def address(asked: str) -> Address:
    """The parts of `git+URL@REF`, or of a plain REF of Parsl's own repository.

    Raises:
        ParslInstallError: it is none that git could fetch.
    """
    text = asked if asked.startswith("git+") else f"{UPSTREAM}@{asked}"
    text, hash_sign, fragment = text.partition("#")
    whole = text.removeprefix("git+")
    try:
        path = urlsplit(whole).path
        known = urlsplit(whole).scheme in _TRANSPORTS
    except ValueError:
        path, known = "", False
    if not known:
        raise ParslInstallError(
            f"--parsl {without_credentials(asked)!r} is no address of a git repository: give git+https://…@REF, or a "
            "folder with a checkout."
        )
    ref = path.rpartition("@")[2] if "@" in path else ""
    return Address(whole.removesuffix(f"@{ref}") if ref else whole, ref or "HEAD", f"{hash_sign}{fragment}")


def commit_at(place: Address) -> str:
    """The commit that the reference names at its address now, whole or as short as it was given.

    Raises:
        ParslInstallError: the address does not answer, or knows no such branch or tag.
    """
    try:
        listed = Git(Path.cwd()).run("ls-remote", "--quiet", "--", place.url).decode("utf-8", "replace")
    except GitFailed as error:
        raise ParslInstallError(
            f"--parsl {place.shown}: that repository does not answer. git says: {error}. Check the address and your "
            "network, and try again."
        ) from error
    known = {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
    for name in (f"refs/tags/{place.ref}", f"refs/heads/{place.ref}", place.ref):
        # An annotated tag's own object comes first, the commit that it marks under the name with ^{}.
        if commit := known.get(f"{name}^{{}}") or known.get(name):
            return commit
    if _COMMIT.fullmatch(place.ref):
        return next((commit for commit in known.values() if commit.startswith(place.ref)), place.ref)
    raise ParslInstallError(
        f"--parsl {place.shown}: that repository knows no branch and no tag {place.ref!r}. `git ls-remote` lists those "
        "it has."
    )
