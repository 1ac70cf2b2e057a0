"""Secrets, people, homes, addresses and hosts, in every text that a contribution holds."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from perfdb.parsl_config.params import ENVIRONMENTS, EVERYBODYS_ADDRESS
from perfdb.redaction import Identity, Redactor, account_parameter, names_a_secret, only_markers
from perfdb.registry.validator.limits import LONGEST_SEARCH_S
from perfdb.registry.validator.report import Findings

REMEDY = (
    "What was published can't be called back: if it is a secret, revoke it. A record can't be masked afterwards; leave it "
    "out, and measure again with this perfdb."
)
_PIECE = 32 * 1024
_OVERLAP = 1024
_REMEMBERED = 50_000
_LONGEST_LINE, _LONGEST_WHOLE = 200, 4000
_TOLD = 3
_CALLED = {
    "secret": "what looks like a secret",
    "address": "a network address",
    "home": "a home folder",
    "user": "a user name",
    "host": "a host name",
}
# Values that are versions: `4.10.0.84` is one there, and an address elsewhere.
_VERSIONS = frozenset(["kernel", "os", "python", "scheduler_version", "perfdb_version"])
_OF_VERSIONS = frozenset(["packages", "measured"])
_OF_NAMED_VALUES = frozenset(["spec", "tags", "scheduler_settings"])
_NOTHING = frozenset(["", "[]", "{}", "unrecorded"])
_HASH = re.compile(r"[0-9a-f]{64}")


class Search:
    """Searches one contribution after another, and remembers the short texts that were clean.

    Args:
        identity: Whose names to look for besides what its shape gives away.
    """

    def __init__(self, identity: Identity | None) -> None:
        self._identity = identity
        self._redactors: dict[str, tuple[Redactor, set[str]]] = {}
        self._left, self._until = 0.0, 0.0

    def begin(self) -> None:
        """From here on, searching takes a bounded time of a processor until the next call; work in between is free."""
        self._left = LONGEST_SEARCH_S

    @contextmanager
    def _spending(self) -> Iterator[None]:
        self._until = time.thread_time() + self._left
        yield
        self._left = self._until - time.thread_time()

    def document(self, findings: Findings, file: str, document: dict[str, Any], machine: str) -> None:
        """Every key and value of a JSON object."""
        with self._spending():
            self._document(findings, file, document, machine)

    def text(self, findings: Findings, file: str, text: str, machine: str) -> None:
        """A whole text file."""
        with self._spending():
            self._text(findings, file, text, machine)

    def words(self, findings: Findings, file: str, words: tuple[str, ...], machine: str) -> None:
        """Short texts, such as a table's."""
        with self._spending():
            for word in words:
                if not self._line(findings, file, "", word, machine):
                    return

    def _document(self, findings: Findings, file: str, document: dict[str, Any], machine: str) -> None:
        _, clean = self._for(machine)
        for key, value in document.items():
            # Most records of a machine have the same environment, params and spec.
            whole = f"{key}={json.dumps(value)}"
            if whole in clean:
                continue
            before = len(findings.faults)
            lines = _of_metrics(value) if key == "metrics" and isinstance(value, list) else _lines(value, key, "")
            for field, line in ((key, key), *lines):
                if not self._line(findings, file, field, line, machine):
                    return
            if len(findings.faults) == before:
                _remember(clean, whole, _LONGEST_WHOLE)

    def _text(self, findings: Findings, file: str, text: str, machine: str) -> None:
        redactor, clean = self._for(machine)
        if len(text) <= _PIECE and "-----" not in text:
            # But for armour each line stands for itself, and logs of one program have most of them in common.
            lines = [line for line in dict.fromkeys(text.split("\n")) if line not in clean]
            if not redactor.find("\n".join(lines)):
                for line in lines:
                    _remember(clean, line, _LONGEST_LINE)
                return
        row, told = 0, 0
        for piece in _pieces(text):
            if time.thread_time() > self._until:
                _too_slow(findings, file)
                return
            for found in redactor.find(piece)[:_TOLD]:
                _tell(findings, file, f"line {row + found.line}", found.kind)
                told += 1
            if told >= _TOLD:
                return
            row += piece.count("\n")

    def _line(self, findings: Findings, file: str, field: str, line: str, machine: str) -> bool:
        redactor, clean = self._for(machine)
        if line in clean or _HASH.fullmatch(line):
            return True
        if time.thread_time() > self._until:
            _too_slow(findings, file)
            return False
        found = [each for piece in _pieces(line) for each in redactor.find(piece)[:1]]
        if found:
            _tell(findings, file, field, found[0].kind)
        else:
            _remember(clean, line, _LONGEST_LINE)
        return True

    def _for(self, machine: str) -> tuple[Redactor, set[str]]:
        """A host that goes by the label that its owner chose for it is named by every path already."""
        identity = self._identity
        hosts = tuple(host for host in identity.hosts if host != machine) if identity else ()
        key = machine if identity and hosts != identity.hosts else ""
        if key not in self._redactors:
            known = replace(identity, hosts=hosts) if identity else None
            self._redactors[key] = (Redactor(identity=known), set())
        return self._redactors[key]


def telling_params(params: dict[str, Any]) -> Iterator[str]:
    """The parameters whose names say that perfdb would have masked their values."""
    for key, value in params.items():
        # `provider.account` is the provider's; a name of one part, as imports have, speaks for itself.
        names = [part for part in key.split(".")[1:] or [key] if not part.isdigit()]
        if not names or names[-1] == "class" or value is None or value in _NOTHING or only_markers(str(value)):
            continue
        if ENVIRONMENTS.intersection(names[:-1]):
            yield key
        elif isinstance(value, bool) or value in EVERYBODYS_ADDRESS:
            continue
        elif any(names_a_secret(name) or account_parameter(name) for name in names):
            yield key


def _lines(value: Any, field: str, inside: str) -> Iterator[tuple[str, str]]:
    """Each text of a document with where it stands, in a form in which the rules know what it is."""
    name = field.rpartition(".")[2]
    if isinstance(value, dict):
        for key, each in value.items():
            where = f"{field}.{key}"[-200:].lstrip(".")
            yield where, key
            if name in _OF_VERSIONS and isinstance(each, str):
                yield where, f"version {each}"
            elif name in _OF_NAMED_VALUES and isinstance(each, str):
                yield where, f"{key}={json.dumps(each, ensure_ascii=False)}"
            else:
                yield from _lines(each, where, name)
    elif isinstance(value, list):
        for each in value:
            yield from _lines(each, field, inside)
    elif isinstance(value, str):
        yield field, f"version {value}" if name in _VERSIONS and inside != "params" else value


def _of_metrics(metrics: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """There may be thousands, and all that differs is numbers."""
    for text in dict.fromkeys(str(metric.get(part)) for metric in metrics for part in ("name", "unit")):
        yield "metrics", text


def _remember(clean: set[str], text: str, longest: int) -> None:
    if len(text) <= longest and len(clean) < _REMEMBERED:
        clean.add(text)


def _pieces(text: str) -> Iterator[str]:
    """Cut at line ends, or in a very long line at blanks and commas with some overlap: a search's cost in memory.

    Armour that opens near a piece's end is looked at again from its beginning.
    """
    at, end = 0, len(text)
    while end - at > _PIECE:
        cut = text.rfind("\n", at, at + _PIECE)
        if cut > at:
            armour = text.rfind("-----BEGIN", max(at + 1, cut - _PIECE // 2), cut)
            yield text[at:cut]
            # Never back to where this piece began: every piece must bring us on.
            at = text.rfind("\n", at, armour) if armour > at and text.rfind("\n", at, armour) > at else cut
            continue
        cut = max(text.rfind(sign, at + 2 * _OVERLAP, at + _PIECE) for sign in " ,")
        cut = cut if cut > 0 else at + _PIECE
        yield text[at:cut]
        back = max(text.rfind(sign, cut - _OVERLAP, cut) for sign in " ,")
        at = back if back > 0 else cut - _OVERLAP
    yield text[at:end]


def _tell(findings: Findings, file: str, field: str, kind: str) -> None:
    findings.add(file, f"holds-{kind}", f"it holds {_CALLED[kind]}", REMEDY, field)


def _too_slow(findings: Findings, file: str) -> None:
    findings.add(
        file,
        "text-too-odd",
        "its text takes longer to search for secrets than any record's should",
        "leave the record out, and measure again with fewer or plainer lines of output",
    )
