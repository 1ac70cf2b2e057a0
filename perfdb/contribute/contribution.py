"""From chosen records to a commit on a branch. HEAD, the index and the work tree play no part in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from perfdb.contribute.chosen import (
    CONFIG_FOLDER,
    REMARKS,
    Known,
    folders_asked_for,
    take_configs,
    take_record,
    take_remarks,
)
from perfdb.contribute.fault import Check, Fault, Faulty
from perfdb.contribute.home import home_of
from perfdb.contribute.intake import Intake
from perfdb.contribute.message import message
from perfdb.contribute.naming import branch_name
from perfdb.contribute.scratch import scratch_folder
from perfdb.contribute.text import pull_request_text
from perfdb.errors import RegistryError
from perfdb.gitrepo import (
    Base,
    GitFailed,
    MovedMeanwhile,
    Quarantine,
    Repository,
    add_files,
    files_below,
    folders_below,
    node_at,
)
from perfdb.record import Annotation, Record, Retraction
from perfdb.registry import Registry
from perfdb.units import counted

# Each lost race means that somebody else's contribution got through.
RACES = 20


class Observer(Protocol):
    """Hears what goes on."""

    def say(self, text: str) -> None:
        """A step that is worth a line."""

    def warn(self, text: str) -> None:
        """Something that the user should know."""


@dataclass(frozen=True)
class Request:
    """What is to be contributed, and where things lie.

    Attributes:
        ids: First digits of records' ids; none means all that the base has not got.
        headlines: For each family, the metrics that stand for it.
    """

    registry: Path
    root: Path
    state_path: Path
    ids: tuple[str, ...]
    remote: str | None
    branch: str | None
    base: str | None
    with_config: bool
    headlines: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Contribution:
    """What became of it.

    Attributes:
        branch: None if there was nothing to contribute, or faults were found.
        commit: What the branch stands at.
        is_new: Whether this made the commit, rather than found it.
        faults: Why nothing was committed.
        text: The pull request's.
    """

    repository: Repository
    base: Base
    remote: str | None
    records: tuple[Record, ...] = ()
    remarks: tuple[Annotation | Retraction, ...] = ()
    branch: str | None = None
    commit: str | None = None
    is_new: bool = False
    faults: tuple[Faulty, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class _Load:
    """All that goes along."""

    records: list[Record]
    remarks: list[Annotation | Retraction]
    configs: list[str]
    copies: dict[str, Path]
    faults: list[Fault]


def contribute(request: Request, check: Check, observer: Observer) -> Contribution:
    """Put records onto a branch; doing it twice changes nothing.

    Args:
        check: The validator; what it is given to check is what gets committed.

    Raises:
        UsageError: an id, the base, the remote or the branch is not to be had.
        RegistryError: git, or the disk, is not up to it; the branch is as it was.
    """
    repository, prefix = home_of(request.registry, request.root)
    author = repository.author()
    remote = repository.remote_named(request.remote)
    base = repository.base(request.base, remote)
    with scratch_folder(request.state_path) as scratch:
        try:
            load = _gather(request, repository, prefix, base, scratch, observer)
            if not load.copies and not load.faults:
                return Contribution(repository, base, remote)
            return _commit(request, repository, prefix, base, remote, load, scratch, author, check, observer)
        except GitFailed as error:
            raise RegistryError(
                f"git could not do its part in {repository.top}: {error}. Your records are as they were, and no branch was "
                "changed. Mend that (a `.lock` file that a killed git left can be removed once no git runs), and type the "
                "same command again."
            ) from error
        except OSError as error:
            raise RegistryError(
                f"{error.filename or scratch} could not be read or written: {error.strerror}. Your records are as they "
                "were, and no branch was changed. Mend that, or set PERFDB_STATE_DIR to a folder with room, and type the "
                "same command again."
            ) from error


def _gather(
    request: Request, repository: Repository, prefix: str, base: Base, scratch: Path, observer: Observer
) -> _Load:
    known = _known(repository, prefix, base)
    folders, there = folders_asked_for(Registry(request.registry), request.ids, known)
    if there:
        observer.say(f"already on {base.name}: {', '.join(there)}")
    intake = Intake(scratch / "files", request.registry, prefix)
    taken = [take_record(intake, prefix, folder, known) for folder in folders]
    records = sorted(filter(None, taken), key=lambda record: (record.started_at, record.record_id))
    remarks, left_out = take_remarks(intake, prefix, known, [record.record_id for record in records])
    if left_out:
        observer.say(
            f"{left_out} remarks are left out: the records that they are about are not on {base.name}, nor chosen."
        )
    bad = sum(record.status != "ok" for record in records)
    if bad:
        observer.say(f"{bad} of {len(records)} records are not `ok`; they are kept and labelled, never compared.")
    copies, faults = intake.copies, intake.faults
    configs: list[str] = []
    if request.with_config:
        shelf = Intake(scratch / "configs", repository.top / CONFIG_FOLDER, CONFIG_FOLDER)
        there_too = files_below(repository.git, repository.tree_of(base.commit), CONFIG_FOLDER)
        configs, notes = take_configs(shelf, records, there_too)
        for text in notes:
            observer.warn(text)
        copies, faults = {**copies, **shelf.copies}, [*faults, *shelf.faults]
    return _Load(records, remarks, configs, copies, faults)


def _known(repository: Repository, prefix: str, base: Base) -> Known:
    git, tree = repository.git, repository.tree_of(base.commit)
    node = node_at(git, tree, prefix)
    if node is not None and node.kind != "tree":
        raise RegistryError(
            f"on {base.name}, {prefix} is no folder but a file, a link or a submodule: records cannot be added below it. "
            "Make it a folder there, or start from another commit with --base."
        )
    folders = folders_below(git, tree, prefix)
    shelves = [f"{prefix}/{shelf}" for shelf, _ in REMARKS]
    shelves += [folder for folder in folders if folder.startswith(f"{prefix}/_machines/")]
    files = [file for shelf in shelves for file in files_below(git, tree, shelf)]
    cut = len(prefix) + 1
    return Known({folder[cut:] for folder in folders}, {file[cut:] for file in files})


def _commit(
    request: Request,
    repository: Repository,
    prefix: str,
    base: Base,
    remote: str | None,
    load: _Load,
    scratch: Path,
    author: dict[str, str],
    check: Check,
    observer: Observer,
) -> Contribution:
    branch = request.branch
    if branch is None and (load.records or load.remarks):
        branch = branch_name(load.records, load.remarks)
    if branch is not None:
        repository.check_branch(branch)
    quarantine = Quarantine(repository, scratch / "quarantine.git")
    blobs = dict(zip(load.copies, quarantine.blobs(list(load.copies.values())), strict=True))
    words = message(load.records, load.remarks, load.configs, request.headlines)
    observer.say(f"checking {counted(len(load.records), 'record')}")
    for _ in range(RACES):
        tip, parent = _start(repository, branch, remote, base)
        tree, new, clashes = add_files(quarantine.git, repository.tree_of(parent), blobs)
        commit = quarantine.commit(tree, parent, words, author) if new else parent
        faults: list[Faulty] = [*load.faults]
        faults += [Fault(clash.path, clash.why, "Give another branch with --branch.") for clash in clashes]
        told = {fault.file for fault in faults}
        faults += [f for f in check(quarantine.folder, base.commit, commit, prefix) if f.file not in told]
        if faults:
            return Contribution(
                repository, base, remote, tuple(load.records), tuple(load.remarks), faults=tuple(faults)
            )
        assert branch is not None, "without faults there is something to contribute"
        try:
            if new:
                quarantine.hand_over(commit, parent)
            if commit != tip:
                repository.move_branch(branch, tip, commit)
        except MovedMeanwhile:
            continue
        text = pull_request_text(load.records, load.remarks, load.configs, request.headlines)
        return Contribution(
            repository, base, remote, tuple(load.records), tuple(load.remarks), branch, commit, bool(new), text=text
        )
    raise RegistryError(
        f"others keep moving the branch {branch}. Nothing was committed: try again, or with another --branch."
    )


def _start(repository: Repository, branch: str | None, remote: str | None, base: Base) -> tuple[str | None, str]:
    """Where the branch stands, and what to build on: on the remote's where that is further."""
    tip = repository.commit_at(f"refs/heads/{branch}") if branch else None
    theirs = repository.commit_at(f"refs/remotes/{remote}/{branch}") if branch and remote else None
    if tip is None or theirs is None or tip == theirs:
        return tip, tip or theirs or base.commit
    if repository.is_ancestor(tip, theirs):
        return tip, theirs
    if repository.is_ancestor(theirs, tip):
        return tip, tip
    raise RegistryError(
        f"{branch} here and on {remote} have gone different ways, and perfdb overwrites neither. Contribute on another "
        f"branch: the same command with --branch {branch}-2."
    )
