"""The one door: text in, the same text with secrets and identities masked out."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from perfdb.redaction import identity as who
from perfdb.redaction import pem, shapes
from perfdb.redaction.assignments import assignments
from perfdb.redaction.identity import Identity
from perfdb.redaction.spans import ADDRESS, HOME, HOST, SECRET, USER, Span, apply, settle

_KINDS = {SECRET: "secret", ADDRESS: "address", HOME: "home", USER: "user", HOST: "host"}
_SHORTEST_ANYWHERE = 4
# Masking one thing can bring another to light. Text that keeps on doing so is masked whole.
_PASSES = 8


@dataclass(frozen=True)
class Finding:
    """Something that should have been masked; line and column count from 1."""

    kind: str
    line: int
    column: int
    matched: str = field(repr=False)


class Redactor:
    """Masks given secrets, what looks like one, and the names of a person and a machine.

    Masking twice changes nothing more, takes time linear in the text, and keeps every line in its place;
    a line with nothing to mask comes back byte for byte.

    Args:
        secrets: Values to mask wherever they occur; one of several lines is masked line by line. Those of
            fewer than four characters are masked only as the value of a name that says secret.
        identity: Whose names to mask. None masks only what its shape gives away.
    """

    def __init__(self, secrets: Iterable[str] = (), identity: Identity | None = None) -> None:
        forms = sorted({form for secret in secrets for form in _forms(secret)}, key=lambda f: (-len(f), f))
        self._secrets = re.compile("|".join(re.escape(form) for form in forms)) if forms else None
        self._identity = identity.rules() if identity else []

    def text(self, text: str) -> str:
        """The text, masked."""
        lines = text.split("\n")
        inside = pem.inside(lines)
        return "\n".join(self._line(line, row in inside) for row, line in enumerate(lines))

    def find(self, text: str) -> list[Finding]:
        """What `text` would mask, in order; empty for text that is clean."""
        lines = text.split("\n")
        inside = pem.inside(lines)
        return [
            Finding(_KINDS[span.marker], row + 1, span.start + 1, line[span.start : span.end])
            for row, line in enumerate(lines)
            for span in settle(line, list(self._spans(line, row in inside)))
        ]

    def _line(self, line: str, in_pem: bool) -> str:
        for _ in range(_PASSES):
            spans = settle(line, list(self._spans(line, in_pem)))
            if not spans:
                return line
            line = apply(line, spans)
        return SECRET

    def _spans(self, line: str, in_pem: bool) -> Iterator[Span]:
        if self._secrets is not None:
            for match in self._secrets.finditer(line):
                yield Span(*match.span(), SECRET)
        yield from pem.spans(line, in_pem)
        yield from shapes.tokens(line)
        yield from shapes.urls(line)
        yield from assignments(line)
        yield from shapes.people_at_hosts(line)
        yield from shapes.addresses(line)
        yield from shapes.homes(line)
        yield from who.spans(line, self._identity)


def _forms(secret: str) -> Iterator[str]:
    """A secret as it may be written: line by line, and escaped for JSON, Python and URLs."""
    from urllib.parse import quote, quote_plus

    for line in {secret, *secret.splitlines()}:
        part = line.strip()
        if len(part) < _SHORTEST_ANYWHERE or "\n" in part:
            continue
        yield part
        if not part.isalnum():
            yield json.dumps(part)[1:-1]
            yield json.dumps(part, ensure_ascii=False)[1:-1]
            yield repr(part)[1:-1]
            yield quote(part, safe="", errors="replace")
            yield quote_plus(part, errors="replace")
