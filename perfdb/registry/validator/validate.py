"""Judge a registry, a part of it, or what a branch adds to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path

from perfdb.errors import UsageError
from perfdb.gitrepo.changes import Change, Objects, changes, commit_named, common_commit
from perfdb.gitrepo.commands import Git
from perfdb.record import Annotation, Record, Retraction
from perfdb.redaction import Identity
from perfdb.registry.validator.beside import judge_beside
from perfdb.registry.validator.committed import CommitTree
from perfdb.registry.validator.config_source import CONFIG_FOLDER, judge_config
from perfdb.registry.validator.folder import Judged, Means, judge_folder
from perfdb.registry.validator.limits import LARGEST_CONFIG, MOST_CHANGES
from perfdb.registry.validator.parquet import ParquetReader
from perfdb.registry.validator.places import Place, place_of
from perfdb.registry.validator.privacy import Search
from perfdb.registry.validator.report import Fault, Findings, Report, Rules
from perfdb.registry.validator.second import SecondJudge
from perfdb.registry.validator.tree import FolderTree, Item, Tree
from perfdb.registry.validator.twins import Twins

Progress = Callable[[int], None]
# Of a chunk that two processes share: so many records repay what starting the second costs.
SHARE = 100
# What people and programs leave beside records, and git never gets to see or nobody minds.
_BESIDE = frozenset(["README.md", ".gitkeep", ".gitignore"])
_DID = {
    "M": "changes a file that is there",
    "D": "removes a file",
    "T": "makes a file something else",
    "?": "holds a folder that git would not make: empty, too deep or too large, or with one name twice",
}


def validate_folder(
    root: Path,
    paths: Sequence[Path],
    rules: Mapping[str, Rules],
    identity: Identity | None = None,
    on_progress: Progress = lambda _: None,
) -> Report:
    """Judge the files of a registry.

    Args:
        root: The registry.
        paths: What of it; empty for all. A file stands for its record's whole folder.
        rules: By family, and for imported records by the kind of source.
        identity: Whose names must not occur anywhere; None looks only for what its shape gives away.
        on_progress: Hears how many records are done.

    Raises:
        UsageError: a path is not there, or not in the registry.
    """
    findings = Findings()
    tree = FolderTree(root, [start for path in paths if (start := _below(root, path))] if paths else [])
    now = datetime.now(UTC)
    with ParquetReader() as parquet, SecondJudge(root, rules, identity, now) as second:
        means = Means(rules, Search(identity), parquet, now)
        seen = judge_tree(tree, _without_drafts(tree.items()), means, findings, on_progress, second)
    return _report(findings, seen)


def validate_change(
    repository: Path,
    base: str,
    head: str,
    registry: str,
    rules: Mapping[str, Rules],
    identity: Identity | None = None,
    on_progress: Progress = lambda _: None,
) -> Report:
    """Judge what one commit adds to another, from git's objects; the files in the faults are named from the top.

    Args:
        repository: Any folder of a checkout, or a bare repository.
        registry: The registry's path from the top.

    Raises:
        UsageError: a revision is unknown, or the two have nothing in common.
        GitFailed: git does not answer.
    """
    git = Git(repository)
    findings = Findings()
    base, head = commit_named(git, base), commit_named(git, head)
    registry = registry.strip("/")
    with ParquetReader() as parquet, Objects(git) as objects:
        added, configs = _sorted_out(findings, changes(objects, common_commit(git, base, head), head), registry)
        means = Means(rules, Search(identity), parquet, datetime.now(UTC))
        inside = Findings()
        tree = CommitTree(git, objects, base, registry, added)
        seen = judge_tree(tree, tree.items(), means, inside, on_progress)
        findings.take(*(_from_top(fault, registry) for fault in inside.faults))
        findings.left_out += inside.left_out
        for change in configs:
            data = objects.read(change.object_id, LARGEST_CONFIG)
            findings.take(*judge_config(change.path, data, means.search))
    seen.files += len(configs)
    return _report(findings, seen, contains_code=bool(configs))


@dataclass
class Seen:
    """What was looked at."""

    records: list[str] = field(default_factory=list)
    files: int = 0
    withdrawn: list[str] = field(default_factory=list)
    resets: int = 0


def judge_tree(
    tree: Tree,
    items: Iterator[Item],
    means: Means,
    findings: Findings,
    on_progress: Progress,
    second: SecondJudge | None = None,
) -> Seen:
    """Judge what a tree has, with what it takes to do so; the means may be used again and again.

    Args:
        second: To share the work with, where the tree lies on disk.
    """
    seen, twins = Seen(), Twins()
    machines: dict[str, bool] = {}
    months: set[str] = set()
    named: list[tuple[str, str]] = []
    for place, group, judged in _judged(tree, items, means, second):
        seen.files += len(group)
        if place.kind == "odd":
            for item in group:
                _odd(findings, item)
        elif place.kind != "record":
            beside = judge_beside(tree, place, group[0], means)
            findings.take(*beside.faults)
            named += [(place.folder, each) for each in beside.record_ids]
            if isinstance(beside.remark, Retraction):
                seen.withdrawn.append(beside.remark.record_id)
            seen.resets += isinstance(beside.remark, Annotation) and beside.remark.resets_baseline
        elif judged is not None:
            findings.take(*judged.faults)
            seen.records.append(place.folder.rpartition("/")[2])
            if judged.record is not None:
                month = place.folder.split("/")[2]
                if month not in months:
                    months.add(month)
                    twins.known(tree, tree.others(month))
                twins.add(findings, place.folder, judged.record)
                _machine(findings, tree, place.folder, judged.record, machines)
            on_progress(len(seen.records))
    known = tree.record_ids() if named else frozenset()
    for file, record_id in named:
        if record_id not in known:
            problem = f"it is about the record {record_id}, which is not there"
            findings.add(file, "reference-broken", problem, "add that record too, or leave this out", "record_id")
    return seen


def _judged(
    tree: Tree, items: Iterator[Item], means: Means, second: SecondJudge | None
) -> Iterator[tuple[Place, list[Item], Judged | None]]:
    """The items place by place, and of each record's folder what came of it."""
    places = ((place, list(together)) for place, together in groupby(items, key=lambda item: _key(place_of(item.path))))
    while chunk := list(islice(places, 2 * SHARE)):
        records = [number for number, (place, _) in enumerate(chunk) if place.kind == "record"]
        theirs = records[1::2] if second is not None and len(records) > SHARE else []
        if second is not None and theirs:
            second.begin([(chunk[number][0].folder, chunk[number][1]) for number in theirs])
        found = {n: judge_folder(tree, chunk[n][0].folder, chunk[n][1], means) for n in sorted({*records} - {*theirs})}
        if second is not None and theirs:
            answers = second.end() or [judge_folder(tree, chunk[n][0].folder, chunk[n][1], means) for n in theirs]
            found.update(zip(theirs, answers, strict=True))
        for number, (place, group) in enumerate(chunk):
            yield place, group, found.get(number)


def _key(place: Place) -> Place:
    return Place(place.kind, place.folder) if place.kind == "record" else place


def _odd(findings: Findings, item: Item) -> None:
    what = "" if item.kind == "file" else f", and it is {'a link' if item.kind == 'link' else item.kind}"
    problem = f"nothing in a registry lies there or is called so{what}"
    findings.add(item.path, "odd-path", problem, "take it out; records lie in <experiment>/<machine>/<YYYY-MM>/<id>/")


def _machine(findings: Findings, tree: Tree, folder: str, record: Record, known: dict[str, bool]) -> None:
    """The file that says what the machine is. Whether it says the same as the record follows from its name, a hash."""
    where = record.environment
    if where.machine_fingerprint is None:
        return
    path = f"_machines/{where.machine}/{where.machine_fingerprint}.json"
    if path not in known:
        known[path] = tree.has(path)
    if not known[path]:
        problem = f"the machine is described nowhere: {path} is missing"
        remedy = "add that file too; `perfdb contribute` does"
        findings.add(f"{folder}/record.json", "reference-broken", problem, remedy, "environment.machine_fingerprint")


def _sorted_out(findings: Findings, changed: Iterator[Change], registry: str) -> tuple[dict[str, Change], list[Change]]:
    """What is added to the registry, by path below it, and the configs. Whatever else was done is a fault."""
    added: dict[str, Change] = {}
    configs: list[Change] = []
    for number, change in enumerate(changed):
        if number >= MOST_CHANGES:
            problem = f"the change is about more than {MOST_CHANGES} files"
            findings.add(change.path, "too-many-files", problem, "contribute in several requests")
            break
        if change.status != "A":
            did = _DID.get(change.status, "changes what is there")
            remedy = f"take that out of the branch: git checkout BASE -- {change.path}; results are only ever added"
            findings.add(change.path, "not-an-addition", f"the change {did}", remedy)
        elif change.path.startswith(f"{registry}/"):
            added[change.path[len(registry) + 1 :]] = change
        elif (
            change.path.startswith(f"{CONFIG_FOLDER}/") and change.path.endswith(".py") and change.path.count("/") == 1
        ):
            if change.mode == "100644":
                configs.append(change)
            else:
                findings.add(change.path, "not-a-plain-file", "it is executable, or a link", "chmod -x, or take it out")
        else:
            problem = (
                f"a contribution adds files below {registry}/, and configs below {CONFIG_FOLDER}/, and nothing else"
            )
            findings.add(change.path, "odd-path", problem, "take it out of the branch")
    return added, configs


def _from_top(fault: Fault, registry: str) -> Fault:
    return Fault(f"{registry}/{fault.file}", fault.code, fault.field, fault.problem, fault.remedy)


def _below(root: Path, path: Path) -> str:
    """A path relative to the registry: of a file in a record's folder, that folder; empty for the registry itself."""
    here = Path(os.path.abspath(path))  # noqa: PTH100 (resolving would follow the links that are to be told of)
    there = Path(os.path.abspath(root))  # noqa: PTH100
    if not os.path.lexists(here):
        raise UsageError(f"{path} is not there. `perfdb validate` without a path judges the whole registry, {root}.")
    for start in (there, there.resolve()):
        for end in (here, here.parent.resolve() / here.name):
            if end.is_relative_to(start):
                relative = end.relative_to(start).as_posix()
                place = place_of(relative)
                return place.folder if place.kind == "record" else relative if relative != "." else ""
    raise UsageError(
        f"{path} is not in the registry {root}. Name paths in it, or another registry with PERFDB_REGISTRY."
    )


def _without_drafts(items: Iterator[Item]) -> Iterator[Item]:
    """All but what is being written at this moment, or was when a process was killed: it has no name yet."""
    for item in items:
        first, _, rest = item.path.partition("/")
        draft = first.startswith(".staging-") or (
            first in ("_machines", "_annotations", "_retractions") and "/." in item.path
        )
        if not draft and not (not rest and first in _BESIDE and item.kind == "file"):
            yield item


def _report(findings: Findings, seen: Seen, *, contains_code: bool = False) -> Report:
    faults = tuple(sorted(findings.faults))
    withdrawn = tuple(sorted(set(seen.withdrawn)))
    return Report(faults, findings.left_out, tuple(seen.records), seen.files, contains_code, withdrawn, seen.resets)
