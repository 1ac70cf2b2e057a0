"""What lies beside the records: what a machine is, and what people say about records afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import ValidationError

from perfdb.capture.machine import machine_document
from perfdb.errors import RecordError
from perfdb.record import Annotation, Host, Retraction, canonical_bytes, sha256_hex
from perfdb.record.canonical import ID_DIGITS
from perfdb.registry.validator.folder import Means
from perfdb.registry.validator.limits import (
    AHEAD,
    EARLIEST,
    LARGEST_MACHINE,
    LARGEST_REMARK,
    MOST_FAULTS_A_RECORD,
    MOST_VALUES,
)
from perfdb.registry.validator.places import Place
from perfdb.registry.validator.report import Fault, Findings
from perfdb.registry.validator.tree import Item, Tree, Unreadable

_LEAVE_OUT = "leave it out, or restore it from git"
_MOST_CPUS = 100_000
_MOST_MEMORY = 2**50


@dataclass(frozen=True)
class Beside:
    """What came of one such file; of a machine's there is no remark."""

    faults: tuple[Fault, ...]
    remark: Annotation | Retraction | None = None

    @property
    def record_ids(self) -> tuple[str, ...]:
        """The records that it is about."""
        if self.remark is None:
            return ()
        return (self.remark.record_id,) if isinstance(self.remark, Retraction) else self.remark.record_ids


def judge_beside(tree: Tree, place: Place, item: Item, means: Means) -> Beside:
    """Judge one such file."""
    findings = Findings(MOST_FAULTS_A_RECORD)
    means.search.begin()
    if item.kind != "file":
        findings.add(item.path, "not-a-plain-file", f"it is no plain file but {item.kind}", "take it out")
        return Beside(tuple(findings.faults))
    try:
        data = tree.read(item.path, LARGEST_MACHINE if place.kind == "machine" else LARGEST_REMARK)
    except Unreadable as error:
        findings.add(item.path, "file-unreadable", f"it {error}", _LEAVE_OUT)
        return Beside(tuple(findings.faults))
    if data.count(b",") > MOST_VALUES:
        findings.add(item.path, "too-large", f"it holds more than {MOST_VALUES} values", _LEAVE_OUT)
        return Beside(tuple(findings.faults))
    remark = None
    if place.kind == "machine":
        _machine(findings, item.path, data, means)
    else:
        remark = _remark(findings, place, item.path, data, means)
    return Beside(tuple(findings.faults), remark)


def _machine(findings: Findings, path: str, data: bytes, means: Means) -> None:
    _, label, name = path.split("/")
    if f"{sha256_hex(data)[:ID_DIGITS]}.json" != name:
        findings.add(path, "wrong-hash", "its name is not the hash of its content", _LEAVE_OUT)
        return
    try:
        host = Host.model_validate_json(data)
        canonical = canonical_bytes(machine_document(host)) == data
    except (ValidationError, RecordError):
        host, canonical = Host(), False
    if not canonical:
        problem = "it is not the canonical description of a machine and of nothing else"
        findings.add(path, "not-a-machine", problem, _LEAVE_OUT)
        return
    if not (1 <= (host.cpu_count or 1) <= _MOST_CPUS and 0 < (host.memory_bytes or 1) <= _MOST_MEMORY):
        findings.add(path, "implausible-value", "no machine has so many CPUs, or so much memory", _LEAVE_OUT)
    means.search.document(findings, path, json.loads(data), label)


def _remark(findings: Findings, place: Place, path: str, data: bytes, means: Means) -> Annotation | Retraction | None:
    model: type[Annotation | Retraction] = Annotation if place.kind == "annotation" else Retraction
    try:
        remark = model.model_validate_json(data)
        canonical = remark.to_bytes() == data
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        findings.add(path, "not-a-remark", first["msg"][:300], _LEAVE_OUT, field)
        return None
    except RecordError:
        canonical = False
    if not canonical:
        findings.add(path, "not-a-remark", "it is not spelled in the one canonical way", _LEAVE_OUT)
        return None
    if remark.file != path:
        findings.add(path, "wrong-place", f"this remark belongs into {remark.file}", "move it there")
    if not EARLIEST <= remark.at <= means.now + AHEAD:
        findings.add(
            path, "implausible-time", f"{remark.at:%Y-%m-%d} is not between {EARLIEST:%Y} and now", _LEAVE_OUT, "at"
        )
    means.search.document(findings, path, json.loads(data), "")
    return remark
