"""Git, as `perfdb contribute` needs it: whose commits, from which checkout, to which remote, and whether that takes them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from perfdb.cli.doctor.here import Here, has
from perfdb.cli.doctor.installing import system_package
from perfdb.cli.doctor.point import Point
from perfdb.errors import PerfdbError

if TYPE_CHECKING:
    from perfdb.gitrepo import Repository

PUSH = "perfdb contribute --push"
_CONTRIBUTE = "perfdb contribute"
_IDENTITY = 'git config --global user.name "Your Name"; git config --global user.email ADDRESS'
_FOREIGN = 'if you trust it: git config --global --add safe.directory "$PWD", in its uppermost folder'
_NO_CHECKOUT = "clone the results repository, then: export PERFDB_ROOT=ITS_FOLDER; or perfdb init, for a new one"


def look(here: Here) -> Iterator[Point]:
    """The program, the checkout, the identity, the remote."""
    needed_for = "perfdb contribute; --parsl of a checkout or an address"
    if not has("git"):
        yield Point("git", "note", "not on PATH", needed_for, system_package("git", "git"))
        return
    said = here.ask(["git", "--version"])
    if not said.well:
        yield Point("git", "note", f"`git --version` failed: {said.complaint}", needed_for, "install git anew")
        return
    yield Point("git", "ok", said.out.removeprefix("git version "), needed_for)
    repository = _checkout(here)
    if isinstance(repository, str):
        foreign = "belongs to another user" in repository
        yield Point("git checkout", "note", repository, _CONTRIBUTE, _FOREIGN if foreign else _NO_CHECKOUT)
        return
    yield Point("git checkout", "ok", "the registry, or the root, lies in one", _CONTRIBUTE)
    try:
        repository.author()
        yield Point("git identity", "ok", "git knows whose commits these are", _CONTRIBUTE)
    except PerfdbError:
        yield Point("git identity", "note", "git does not know whose commits these are", _CONTRIBUTE, _IDENTITY)
    remotes, chosen = repository.remotes(), repository.remote_named(None)
    if chosen is not None:
        yield Point("git remote", "ok", f"`{chosen}`", PUSH)
    elif remotes:
        yield Point(
            "git remote", "note", f"several, none called origin: {', '.join(remotes)}", PUSH, f"{PUSH} --remote NAME"
        )
    else:
        yield Point("git remote", "note", "none", PUSH, "git remote add origin URL")


def look_at_push(here: Here) -> Iterator[Point]:
    """Whether the remote would take a branch; nothing is sent."""
    from perfdb.gitrepo import trial_push

    repository = _checkout(here) if has("git") else ""
    remote = None if isinstance(repository, str) else repository.remote_named(None)
    if isinstance(repository, str) or remote is None:
        return  # the lines about git tell why
    if repository.commit_at("HEAD") is None:
        yield Point("git push", "note", "not tried: there is no commit yet", PUSH, "git commit")
        return
    argv, env = trial_push(repository.top, remote)
    said = here.ask(argv, env)
    if said.well:
        yield Point("git push", "ok", f"`{remote}` would take a branch from here", PUSH)
        return
    yield Point("git push", "note", f"`{remote}` does not take a branch: {_words(said.errors)}", PUSH, _REMEDY)


_REMEDY = "git remote -v; mend its address or your key or token, or push to a fork: git remote add fork URL"


def _words(complaint: str) -> str:
    """What git said first of why, without addresses and hosts in it: ssh's word, where it was the one to fail."""
    from perfdb.gitrepo.commands import words

    lines = [line.strip() for line in complaint.splitlines()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "remote:", "! ["))]
    if telling and "Could not read from remote" in telling[0]:
        telling = [f"ssh: {lines[0].rpartition(': ')[2]}"] if lines[0] != telling[0] else telling
    kept = [word for word in words((telling or lines or [""])[0]).split() if "/" not in word and "@" not in word]
    return " ".join(kept)[:200]


def _checkout(here: Here) -> Repository | str:
    """The one that `perfdb contribute` would work on, or why there is none."""
    from perfdb.gitrepo import Repository

    settings = here.settings
    for folder in (settings.registry_path, settings.root):
        try:
            if folder.is_dir() and (found := Repository.around(folder)):
                return found
        except PerfdbError as error:
            return (
                str(error).split(". ")[0].replace(str(folder), "the root").replace(os.path.realpath(folder), "the root")
            )
    return "neither the registry nor the root lies in a git checkout"
