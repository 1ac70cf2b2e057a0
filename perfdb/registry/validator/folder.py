"""One record's folder: what it holds is what the record names, to the last byte."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from perfdb.errors import NewerRecordError, RecordError
from perfdb.record import Artifact, Metric, Record, SampleFile, parse_record, sha256_hex
from perfdb.registry.store import RECORD_FILE, SUMS_FILE
from perfdb.registry.validator.content import (
    ALTERED,
    UPDATE,
    check_content,
    check_evidence,
    check_samples,
    rules_of,
)
from perfdb.registry.validator.limits import (
    LARGEST_RECORD_FILE,
    LARGEST_SAMPLES,
    LARGEST_SUMS,
    LARGEST_TEXT,
    MOST_CELLS,
    MOST_FAULTS_A_RECORD,
    MOST_FILES,
    MOST_VALUES,
)
from perfdb.registry.validator.parquet import NoTable, ParquetReader, Table
from perfdb.registry.validator.privacy import REMEDY, Search, telling_params
from perfdb.registry.validator.report import Fault, Findings, Rules
from perfdb.registry.validator.tree import Item, Tree, Unreadable

# A dot at the end goes lost on some file systems, and some names are devices there, whatever follows their first dot.
_ELSEWHERE_ANOTHER = re.compile(r"\.(?:/|$)|(?:^|/)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:[./]|$)", re.IGNORECASE)
LEAVE_OUT = "leave the record out, or restore it from git"
_SMALLER = "leave the record out, and measure again with less output, or fewer samples"


@dataclass(frozen=True)
class Judged:
    """What came of one record's folder. `record` is None where it could not be read."""

    record: Record | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Means:
    """What judging takes: rules by kind of experiment, a search for private things, a reader of samples, the time."""

    rules: Mapping[str, Rules]
    search: Search
    parquet: ParquetReader
    now: datetime


def judge_folder(tree: Tree, folder: str, items: Sequence[Item], means: Means) -> Judged:
    """Judge one record's folder and all that lies in it."""
    findings = Findings(MOST_FAULTS_A_RECORD)
    means.search.begin()
    if _plain(findings, folder, items):
        record, data = _record(findings, tree, folder)
        if record is not None:
            _Folder(tree, folder, record, means, findings).check(data, items)
    else:
        record = None
    return Judged(record, tuple(findings.faults))


def _plain(findings: Findings, folder: str, items: Sequence[Item]) -> bool:
    """Whether there is anything here to look at more closely."""
    telling = {"link": "a link", "executable": "executable", "other": "neither file nor folder, or can't be looked at"}
    for item in items:
        if item.kind in telling:
            remedy = f"chmod -x {item.path}" if item.kind == "executable" else "take it out; records hold plain files"
            findings.add(item.path, "not-a-plain-file", f"it is {telling[item.kind]}", remedy)
    if len(items) > MOST_FILES or any(item.kind == "endless" for item in items):
        problem = f"it holds more than {MOST_FILES} files, or folders within folders without end"
        findings.add(folder, "too-many-files", problem, LEAVE_OUT)
        return False
    return True


def _record(findings: Findings, tree: Tree, folder: str) -> tuple[Record | None, bytes]:
    file = f"{folder}/{RECORD_FILE}"
    try:
        data = tree.read(file, LARGEST_RECORD_FILE)
    except Unreadable as error:
        findings.add(file, "record-unreadable", f"it {error}", LEAVE_OUT)
        return None, b""
    if _values(data) > MOST_VALUES:
        findings.add(file, "too-large", f"it holds more than {MOST_VALUES} values", _SMALLER)
        return None, data
    try:
        record = parse_record(data)
    except NewerRecordError as error:
        findings.add(file, "newer-version", str(error).partition(": ")[2], UPDATE, "schema_version")
        return None, data
    except RecordError as error:
        field, colon, problem = str(error).partition(": ")
        findings.add(
            file, "not-a-record", problem if colon else field, ALTERED, field if colon and " " not in field else ""
        )
        return None, data
    month = record.started_at.strftime("%Y-%m")
    belongs = f"{record.experiment}/{record.environment.machine}/{month}/{record.record_id}"
    if belongs != folder:
        findings.add(file, "wrong-place", f"this record belongs into {belongs}", "move its whole folder there")
    return record, data


def _values(data: bytes) -> int:
    """How many there are that may be wrong: a long run has thousands of metrics, each of them soon found sound."""
    every = count = data.count(b",")
    # An iteration's metric has some fifteen bytes a value. What is much denser is none, and a million objects cost a second.
    if count <= MOST_VALUES or count > len(data) // 8:
        return count
    try:
        document = json.loads(data)
        for metric in document.pop("metrics"):
            if type(metric) is dict and not any(isinstance(value, (dict, list)) for value in metric.values()):
                Metric.model_validate(metric)
                count -= len(metric)
        if count <= MOST_VALUES:
            Record.model_validate(document)  # each fault there would come with a copy of all metrics
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # pydantic's own error is a ValueError
        return every
    return count


class _Folder:
    """A folder whose record could be read."""

    def __init__(self, tree: Tree, folder: str, record: Record, means: Means, findings: Findings) -> None:
        self._tree, self._folder, self._record = tree, folder, record
        self._means, self._findings = means, findings
        self._file = f"{folder}/{RECORD_FILE}"
        self._machine = record.environment.machine

    def check(self, data: bytes, items: Sequence[Item]) -> None:
        record, means, findings = self._record, self._means, self._findings
        rules = rules_of(record, means.rules)
        every: tuple[SampleFile | Artifact, ...] = (*record.samples, *record.artifacts)
        named = {each.file: each for each in every}
        self._names(named, items)
        found = [(each, self._content(each, LARGEST_SAMPLES)) for each in record.samples]
        samples = [(each, content) for each, content in found if content is not None]
        if len(samples) == 1:
            means.parquet.send(samples[0][1])  # the child reads while we go on
        implied = check_content(findings, self._file, record, rules, means.now)
        means.search.document(findings, self._file, json.loads(data), self._machine)
        for key in telling_params(dict(record.params)):
            problem = "by its name this parameter's value is private, and it is not masked"
            findings.add(self._file, "holds-secret", problem, REMEDY, f"params.{key}")
        self._texts()
        self._sums(data, named)
        cells, unread = 0, len(record.samples) - len(samples)
        for sample, content in samples:
            if len(samples) > 1:
                means.parquet.send(content)
            table = self._table(sample)
            if table is None:
                unread += 1
            else:
                cells += table.rows * len(table.columns)
                if cells > MOST_CELLS:
                    findings.add(self._file, "too-large", f"its samples have more than {MOST_CELLS} values", _SMALLER)
                    return
                if rules is not None:
                    implied |= check_samples(findings, self._path(sample), record, table.columns, rules)
        # Of samples that can't be read the fault is told already, and not again for each number that may follow from them.
        if rules is not None and not unread:
            check_evidence(findings, self._file, record, rules, implied)

    def _path(self, each: SampleFile | Artifact) -> str:
        return self._path_of(each.file)

    def _path_of(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _names(self, named: Mapping[str, object], items: Sequence[Item]) -> None:
        """Every file is named, every name has its file, and both kinds lie where they belong."""
        add, record = self._findings.add, self._record
        if len(named) < len(record.samples) + len(record.artifacts):
            add(self._file, "file-named-twice", "it names a file twice", ALTERED, "artifacts")
        for each in record.artifacts:
            if not each.file.startswith("artifacts/"):
                add(self._file, "wrong-place", "an artifact's file lies in artifacts/", ALTERED, "artifacts.file")
        for sample in record.samples:
            if "/" in sample.file or not sample.file.endswith(".parquet"):
                add(self._file, "wrong-place", "samples are a .parquet file beside the record", ALTERED, "samples.file")
        folded = Counter(name.casefold() for name in named)
        for name in named:
            if folded[name.casefold()] > 1 or _ELSEWHERE_ANOTHER.search(name):
                problem = (
                    "on other file systems this name is another file's, or none: of two that differ in case one stays"
                )
                add(self._path_of(name), "odd-name", problem, ALTERED, "artifacts.file")
        there = {item.path.removeprefix(f"{self._folder}/") for item in items}
        for name in sorted(there - set(named) - {RECORD_FILE, SUMS_FILE}):
            problem = "the record does not name this file"
            add(f"{self._folder}/{name}", "file-not-named", problem, "take it out of the record's folder")

    def _content(self, each: SampleFile | Artifact, most: int) -> bytes | None:
        """A named file's bytes, if they are the ones that were named."""
        add, path = self._findings.add, self._path(each)
        if each.bytes > most:
            add(path, "too-large", f"it has {each.bytes} bytes, at most {most} are allowed", _SMALLER)
            return None
        try:
            content = self._tree.read(path, most)
        except Unreadable as error:
            add(path, "file-unreadable", f"the record names it, and it {error}", LEAVE_OUT)
            return None
        if len(content) != each.bytes:
            add(path, "wrong-size", f"it has {len(content)} bytes, and the record says {each.bytes}", LEAVE_OUT)
        if sha256_hex(content) != each.sha256:
            add(path, "wrong-hash", "its SHA-256 is not the one in the record", LEAVE_OUT)
            return None
        return content

    def _texts(self) -> None:
        add, left = self._findings.add, LARGEST_TEXT
        if sum(each.bytes for each in self._record.artifacts) > LARGEST_TEXT:
            add(self._folder, "too-large", f"its artifacts have more than {LARGEST_TEXT} bytes together", _SMALLER)
            return
        for each in self._record.artifacts:
            content = self._content(each, left)
            if content is None:
                continue
            try:
                text = content.decode()
            except UnicodeDecodeError:
                text = "\0"
            if "\0" in text:
                problem = "it is not text in UTF-8, the one kind of artifact there is"
                add(self._path(each), "not-text", problem, LEAVE_OUT)
                continue
            self._means.search.text(self._findings, self._path(each), text, self._machine)

    def _sums(self, data: bytes, named: Mapping[str, SampleFile | Artifact]) -> None:
        file = f"{self._folder}/{SUMS_FILE}"
        hashes = {RECORD_FILE: sha256_hex(data), **{name: each.sha256 for name, each in named.items()}}
        try:
            there = self._tree.read(file, LARGEST_SUMS)
        except Unreadable as error:
            self._findings.add(file, "sums-wrong", f"it {error}", LEAVE_OUT)
            return
        if there != "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items())).encode():
            problem = "it is not the list of exactly the files that the record names, with their SHA-256"
            self._findings.add(file, "sums-wrong", problem, LEAVE_OUT)

    def _table(self, sample: SampleFile) -> Table | None:
        add, path = self._findings.add, self._path(sample)
        try:
            table = self._means.parquet.receive()
        except NoTable as error:
            add(path, "samples-unreadable", f"the file {error}", LEAVE_OUT)
            return None
        if table.rows != sample.rows or tuple(table.columns) != sample.columns:
            problem = f"it has {table.rows} rows of other columns than the record says, or another number of them"
            add(path, "wrong-shape", problem, ALTERED, "samples")
        self._means.search.words(self._findings, path, (*table.texts, *table.columns), self._machine)
        return table
