"""Keys and certificates in PEM armour: each line between BEGIN and END is masked, the armour stays."""

import re
from collections.abc import Iterator

from perfdb.redaction.spans import SECRET, Span, only_markers

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----")
_END = re.compile(r"-----END [A-Z0-9 ]{1,40}-----")
# What may stand in armour: base64, headers such as `Proc-Type: 4,ENCRYPTED`, blanks; quotes where source builds it.
_BODY = re.compile(r"[\s\"'(#brf+\\]*+(?:[A-Za-z0-9+/=]*+|[A-Z][\w-]*+: .*+)(?:\\n)?[\s\"'),\\]*+")


def inside(lines: list[str]) -> frozenset[int]:
    """The rows (from 0) that lie in armour whose BEGIN stands on a line above."""
    rows: set[int] = set()
    open_ = False
    for row, line in enumerate(lines):
        if "-----" not in line:
            open_ = open_ and bool(_BODY.fullmatch(line) or only_markers(line))
            if open_:
                rows.add(row)
            continue
        if open_ and _END.search(line):
            rows.add(row)
        begins = max((match.end() for match in _BEGIN.finditer(line)), default=0)
        ends = max((match.end() for match in _END.finditer(line)), default=0)
        open_ = begins > ends
    return frozenset(rows)


def spans(line: str, in_pem: bool) -> Iterator[Span]:
    """What armour holds in this line."""
    if "-----" not in line:
        if in_pem and not only_markers(line):
            start = len(line) - len(line.lstrip(" \t\"'("))
            end = len(line.rstrip(" \t\r\"'),"))
            yield Span(start, max(start, end), SECRET)
        return
    at = 0
    if in_pem and (end_ := _END.search(line)):
        if not only_markers(line[: end_.start()]):
            start = end_.start() - len(line[: end_.start()].lstrip())
            yield Span(start, end_.start(), SECRET)
        at = end_.end()
    while begin := _BEGIN.search(line, at):
        closing = _END.search(line, begin.end())
        stop = closing.start() if closing else len(line.rstrip(" \t\r\"'),"))
        # An escaped line end or quote after BEGIN is armour too, not key.
        if not only_markers(line[begin.end() : stop].replace("\\n", "")):
            yield Span(begin.end(), stop, SECRET)
        at = closing.end() if closing else len(line)
