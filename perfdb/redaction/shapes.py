"""What gives itself away by its shape: tokens, URLs, addresses, home paths, people at hosts.

Every pattern is linear: runs are possessive, and begin where no run goes on, so no character is read twice.
"""

import ipaddress
import re
from collections.abc import Iterator

from perfdb.redaction.spans import ADDRESS, HOME, HOST, SECRET, USER, Span

_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ABIA|ACCA)[A-Z0-9]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}+|github_pat_\w{20,}+"
    r"|gl(?:pat|dt|rt|oas|cbt|ptt|soat)-[\w-]{16,}+"
    r"|xox[a-z]-[\w-]{8,}+|xapp-[\w-]{8,}+"
    r"|hf_[A-Za-z0-9]{20,}+|npm_[A-Za-z0-9]{20,}+|pypi-[\w-]{16,}+|dckr_pat_[\w-]{16,}+"
    r"|sk-[\w-]{20,}+|[sr]k_(?:live|test)_\w{16,}+|AIza[\w-]{30,}+"
    r"|eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?"
    r")"
)
_BEARER = re.compile(r"(?<!\w)(?:Bearer|Basic)[ \t]++([A-Za-z0-9+/_.~=-]{8,}+)", re.IGNORECASE)
_WEBHOOK = re.compile(r"hooks\.slack\.com/(?:services|workflows)/([\w/-]++)")
# A line of nothing but base64, as long as PEM breaks it. Digests are lower-case hexadecimal and pass.
_PEM_BODY_ALONE = re.compile(r"\s*+([A-Za-z0-9+/]{60,76}+={0,2})\s*+")

_URL = re.compile(r"(?<=[A-Za-z0-9+.-])://([^\s\"'`]++)")
_URL_HOST = re.compile(r"\[[0-9A-Fa-f:.%]*+\]|[^/?#:\s\\,;)(}\]|]++")
_PUBLIC_HOST = re.compile(
    r"(?:^|\.)(?:localhost|example|test|invalid|example\.(?:com|org|net|edu)|readthedocs\.(?:io|org)|github\.com|"
    r"gitlab\.com|python\.org|pypi\.org|schedmd\.com|kubernetes\.io|k8s\.io|docker\.(?:com|io)|doi\.org|"
    r"mlflow\.org|parsl-project\.org|anaconda\.org|conda-forge\.org|apache\.org|wikipedia\.org|ietf\.org)$",
    re.IGNORECASE,
)

_IPV4 = re.compile(r"(?<!\d)(?<!\d\.)\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
_MODULE_LINE = re.compile(r"\b(?:module|ml)\s++(?:load|add|swap|unload)\b")
_VERSION_BEFORE = re.compile(r"(?:[vV]|\w[=~<>!]=|(?:version|release)[\"']?\s?[:=]?\s?[\"']?)$", re.IGNORECASE)
_IPV6_RUN = re.compile(r"[0-9A-Fa-f:.]{2,}+")
_MAC = re.compile(r"(?<![\w:.-])[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}(?![\w:.-])")
_CLOUD_HOST = re.compile(r"(?<![A-Za-z0-9])ip-\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}(?![\w-])")
_V6_ALLOCATED = tuple(
    ipaddress.IPv6Network(net) for net in ("2000::/3", "fc00::/7", "fe80::/10", "ff00::/8", "64:ff9b::/96")
)

_PERSON = r"[^\s/\\\"':;,()<>{}\[\]$*?|&=`#%]"
_HOME_PATH = re.compile(rf"(?:/home|/Users|\\\\?Users|(?<![\w.\-/}}])/root(?![\w.-]))(?:(?<!/root)[/\\]++{_PERSON}++)?")
_TILDE = re.compile(r"(?<![\w~/])~[A-Za-z_][\w.-]*+(?=/|[\"'\s;:]|$)")
_AT = re.compile(r"(?<![\w.+-])([\w.+-]++)@(?:([\w.-]++)|(?=[<\[]))")
# `image@sha256:…`, `package@1.2.3`
_NO_HOST_AFTER_AT = re.compile(r"(?:v?\d+(?:\.\d+){0,2}|sha\d+:\w+)(?![\w.-]*[\w])")


def tokens(line: str) -> Iterator[Span]:
    """Tokens that services give a shape of their own."""
    for match in _TOKEN.finditer(line):
        yield Span(*match.span(), SECRET)
    for pattern in (_BEARER, _WEBHOOK):
        for match in pattern.finditer(line):
            yield Span(*match.span(1), SECRET)
    alone = _PEM_BODY_ALONE.fullmatch(line)
    if alone and re.search("[A-Z]", line) and re.search("[a-z]", line):
        yield Span(*alone.span(1), SECRET)


def urls(line: str) -> Iterator[Span]:
    """User, password and host of each URL; scheme, path and query keep their shape."""
    if "://" not in line:
        return
    for match in _URL.finditer(line):
        start, end = match.span(1)
        # A password may hold what a strict parser takes for the end of the host: the last @ decides.
        at = line.rfind("@", start, end)
        if at > start:
            yield Span(start, at, SECRET)
        host = _URL_HOST.match(line, max(start, at + 1), end)
        if host is None or any(sign in host[0] for sign in "{}$%<>*"):
            continue
        name = host[0].rstrip(".")
        if _is_address(name.strip("[]")) or (at < 0 and _PUBLIC_HOST.search(name)):
            continue
        if name.lower() != "localhost":
            yield Span(host.start(), host.end(), HOST)


def addresses(line: str) -> Iterator[Span]:
    """IPv4, IPv6 and hardware addresses, but for loopback, any, broadcast, netmasks and versions."""
    module_line: bool | None = None
    for match in _IPV4.finditer(line):
        try:
            address = ipaddress.IPv4Address(_plain(match[0]))
        except ValueError:
            continue
        if address.is_loopback or address.is_unspecified or match[0].startswith("255.255."):
            continue
        # 203.0.113.x and its like are reserved for documents: there they stand for an address.
        if address.is_global:
            if module_line is None:
                module_line = bool(_MODULE_LINE.search(line))
            if module_line or _VERSION_BEFORE.search(line[max(0, match.start() - 16) : match.start()]):
                continue
        yield Span(*match.span(), ADDRESS)
    if ":" in line:
        for match in _IPV6_RUN.finditer(line):
            yield from _ipv6(match)
        for match in _MAC.finditer(line):
            yield Span(*match.span(), ADDRESS)
    for match in _CLOUD_HOST.finditer(line):
        yield Span(*match.span(), HOST)


def homes(line: str) -> Iterator[Span]:
    """`/home/NAME`, `/Users/NAME`, `/root`, `~NAME`; `$HOME`, `~` and `/home/$USER` say nothing and stay."""
    if "/" in line or "\\" in line:
        for match in _HOME_PATH.finditer(line):
            if match[0] not in ("/home", "/Users", "\\Users", "\\\\Users"):
                yield Span(*match.span(), HOME)
    if "~" in line:
        for match in _TILDE.finditer(line):
            yield Span(*match.span(), HOME)


def people_at_hosts(line: str) -> Iterator[Span]:
    """`user@host` and e-mail addresses."""
    if "@" not in line:
        return
    for match in _AT.finditer(line):
        host = match[2] or ""
        if _NO_HOST_AFTER_AT.match(line, match.end(1) + 1):
            continue
        yield Span(*match.span(1), USER)
        yield Span(match.start(2), match.start(2) + len(host.rstrip(".-")), HOST)


def _ipv6(match: re.Match[str]) -> Iterator[Span]:
    run = match[0]
    # A run of another length is no address, and looking into it would be the way to quadratic time.
    if len(run) > 60 or run.count(":") < 2:
        return
    for start in (0, *(at + 1 for at, sign in enumerate(run[:6]) if sign == ":")):
        for end in (len(run), len(run.rstrip(":.")), run.rfind(":")):
            if end > start and _allocated_v6(run[start:end]):
                yield Span(match.start() + start, match.start() + end, ADDRESS)
                return


def _allocated_v6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    mapped = address.ipv4_mapped
    if mapped is not None:
        return not mapped.is_loopback
    # `x[1::2]` and `a::b` are valid addresses that nobody was ever given.
    return any(address in network for network in _V6_ALLOCATED)


def _plain(quad: str) -> str:
    return ".".join(str(int(part)) for part in quad.split("."))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
