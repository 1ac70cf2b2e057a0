"""Values that a name gives away: `export TOKEN=x`, `password: x`, `--api-key x`, `"secret": "x"`.

One pass over a line: each name is looked at once, and what follows a masked value starts after it.
"""

import re
from collections.abc import Iterator

from perfdb.redaction.names import hints_at_a_key, names_a_person, names_a_secret, names_an_account
from perfdb.redaction.spans import SECRET, USER, Span, without_markers

_NAME = re.compile(r"[A-Za-z_\-][\w.\-]*+")
_HINT = re.compile(
    r"token|secret|pass|pwd|psk|key|cred|auth|bearer|cookie|jwt|private|session|account|user|login|logname|"
    r"\bpat\b|salt|sas|sig|nonce|-A[\s=]",
    re.IGNORECASE,
)
# After a name: its closing quote or bracket, and a sign that assigns. A Python annotation may stand between.
_SIGN = re.compile(
    r"(?:\\*+[\"'])?+\]?+[ \t]*+"
    r"(?::[ \t]*+(?:str|bytes|Optional\[\w++\]|\w++ \| None)[ \t]*+=(?!=)|=>|:=|==?|:(?!:))[ \t]*+"
)
_COMMA = re.compile(r"\\*+([\"'])[ \t]*+,[ \t]*+(?=[rRbBuUfF]{0,2}\\*+[\"'])")
_BLANK = re.compile(r"[ \t]++(?![-=:|&;<>])")
_OPENING = re.compile(r"\(?[rRbBuUfF]{0,2}(\\*)(\"{3}|'{3}|[\"'])")
_BARE = re.compile(r"(?:[^\s\"'`;&|]|(?<=[^\s,(\[{=])\"[^\"\s,)]*+\"|(?<=[^\s,(\[{=])'[^'\s,)]*+')++")
_QUOTED = {'"': re.compile(r'(?:[^"\\]|\\.)*+'), "'": re.compile(r"(?:[^'\\]|\\.)*+")}
_FIRST_ON_LINE = re.compile(r"[ \t]*+(?:[#;*\-]|//)?+[ \t]*+(?:-[ \t]++)?+[\"']?")
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|Digest|Negotiate)[ \t]++", re.IGNORECASE)
_SAYS_NOTHING = re.compile(
    r"(?:None|True|False|null|nil|yes|no|on|off|none|true|false|str|int|bytes|bool|float|dict|list|\.{3}|\*+|-+"
    r"|\$\{?\w+\}?|\$\((?:cat|<)|\$env:\w+|%\w+%|%s|%\(\w+\)s|\{[\w.\[\]\"']*\}|[\[{(]|\[\]|\{\}|\(\)"
    r"|(?:os\.)?(?:environ|getenv)\b.*|getpass\..*|<[\w -]+>|)[\])},]*"
)
_LONG_KEY = re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}")
_HEADERS = ("cookie", "authorization")
_BATCH_LINE = re.compile(r"[ \t]*+#(?:SBATCH|PBS|COBALT)\b|\b(?:sbatch|srun|salloc|qsub)\b")
_CHARGE_FLAG = re.compile(r"(?<=\s)-A[ \t=]?[ \t]*+([^\s\"']++)")


def assignments(line: str) -> Iterator[Span]:
    """The values in a line whose names say that they are secret, an account or a user name."""
    if not _HINT.search(line):
        return
    done = 0
    for match in _NAME.finditer(line):
        # What stands where a URL has its user is the URL rule's.
        if match.start() < done or line.endswith("://", 0, match.start()):
            continue
        # In `\nTOKEN=` within a string the n belongs to the escape.
        escaped = match.start() > 0 and line[match.start() - 1] == "\\" and match[0][0] in "nrt"
        name = match[0][1:] if escaped else match[0]
        marker = _marker(name)
        if marker is None:
            continue
        for start, end in _values(line, match, name):
            if start < end and _tells(name, marker, line[start:end]):
                yield Span(start, end, marker)
                done = end
    if _BATCH_LINE.search(line):
        for flag in _CHARGE_FLAG.finditer(line):
            if not _SAYS_NOTHING.fullmatch(flag[1][:200]):
                yield Span(*flag.span(1), SECRET)


def _marker(name: str) -> str | None:
    if names_a_secret(name) or names_an_account(name) or hints_at_a_key(name):
        return SECRET
    return USER if names_a_person(name) else None


def _tells(name: str, marker: str, value: str) -> bool:
    """Whether a value is more than a reference, a type or a switch."""
    if len(value) > 200:
        return True
    if _SAYS_NOTHING.fullmatch(without_markers(value)):
        return False
    short = name.strip("-").rpartition(".")[2].lower()
    plain = value.rstrip(")],}")
    if plain.rpartition(".")[2].lower() == short and re.fullmatch(r"[\w.]+", plain):
        return False
    if marker == USER:
        return value.lower() != "root" and not value.isdigit()
    if not (names_a_secret(name) or names_an_account(name)):
        return bool(_LONG_KEY.fullmatch(plain))
    return not (re.fullmatch(r"[A-Z]+(?:_[A-Z]+)+", plain) and (names_a_secret(plain) or plain.endswith("_ACCOUNT")))


def _values(line: str, match: re.Match[str], name: str) -> Iterator[tuple[int, int]]:
    at = match.end()
    if sign := _SIGN.match(line, at):
        yield _value(line, sign.end(), match, whole=":" in sign[0], name=name)
    elif comma := _COMMA.match(line, at):
        yield _value(line, comma.end(), match, whole=False, name=name)
    elif (match[0].startswith("--") or _sets(line, match)) and (blank := _BLANK.match(line, at)):
        yield _value(line, blank.end(), match, whole=False, name=name)


def _sets(line: str, match: re.Match[str]) -> bool:
    before = line[max(0, match.start() - 12) : match.start()]
    return before.endswith(("setenv ", "ENV ", "setenv\t"))


def _value(line: str, start: int, match: re.Match[str], *, whole: bool, name: str) -> tuple[int, int]:
    """Where the value runs: within its quotes, to the end of a `name: value` line, or to the next blank."""
    if opening := _OPENING.match(line, start):
        inside = opening.end()
        closing = _closing(line, inside, opening[1] + opening[2])
        return inside, len(line.rstrip()) if closing < 0 else closing
    if line.startswith("[", start):
        closing = line.find("]", start)
        return start + 1, len(line.rstrip()) if closing < 0 else closing
    header = any(part in name.lower() for part in _HEADERS)
    first = (starts := _FIRST_ON_LINE.match(line)) is not None and starts.end() >= match.start()
    if header or (whole and first and not _SAYS_NOTHING.fullmatch(line[start : start + 200].strip())):
        ends = [at for sign in "\"'`" if (at := line.find(sign, start)) >= 0]
        return start, min([*ends, len(line)]) if header and ends else len(line.rstrip(" \t\r,\"'"))
    if scheme := _SCHEME.match(line, start):
        start = scheme.end()
    bare = _BARE.match(line, start)
    if bare is None:
        return start, start
    end = bare.end()
    # `f(token=x)` closes what stands before the value, `{x}` what stands in it.
    trailing = ",)]}\\" if line.find("{", start, end) < 0 else ",)]\\"
    while end > start and line[end - 1] in trailing:
        end -= 1
    return start, end


def _closing(line: str, inside: int, quote: str) -> int:
    if quote.startswith("\\") or len(quote) == 3:
        return line.find(quote, inside)
    body = _QUOTED[quote].match(line, inside)
    return body.end() if body and body.end() < len(line) else -1
