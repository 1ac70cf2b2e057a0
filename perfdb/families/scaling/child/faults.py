"""How a session can end otherwise than well."""

import errno
import re

# In this order wherever they are listed. `client`: our own limits (ports, files, a firewall), which say nothing of the service.
REFUSED, CAPACITY, UNAVAILABLE, RESET, TIMEOUT, WRONG, CLIENT = (
    "refused",
    "capacity",
    "503",
    "reset",
    "timeout",
    "wrong_answer",
    "client",
)
_KINDS = {
    errno.ECONNREFUSED: REFUSED,
    errno.EHOSTUNREACH: REFUSED,
    errno.ENETUNREACH: REFUSED,
    errno.EHOSTDOWN: REFUSED,
    errno.ECONNRESET: RESET,
    errno.EPIPE: RESET,
    errno.ECONNABORTED: RESET,
    errno.ETIMEDOUT: TIMEOUT,
}
LONGEST = 200
_TOKEN = re.compile(r"[^\s\"'{}\[\](),;<>]+")
_WORD = re.compile(r"[A-Za-z]*[.:!?]?|[A-Z]+(?:_[A-Z]+)+[.:]?")


class Fault(Exception):
    """One session failed: of which kind, and in which words."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind
        self.text = "".join(sign if sign.isprintable() else " " for sign in text[:LONGEST])


def theirs(said):
    """A service's own words, without what may name a host, a user or a secret: only what is letters alone is kept."""
    return _TOKEN.sub(lambda token: token.group() if _WORD.fullmatch(token.group()) else "…", said[: 2 * LONGEST])


def of_error(error):
    """What an error of a socket means; one that no service can bring about is ours: files, ports, memory, a firewall."""
    return Fault(_KINDS.get(error.errno, CLIENT), error.strerror or str(error))


def of_status(status, body):
    """What an HTTP status other than the one hoped for means."""
    said = body.decode("utf-8", "replace").strip()
    text = f"HTTP status {status}{': ' + theirs(said) if said else ''}"
    if status == 429 or (status == 503 and "capacity" in said.lower()):
        return Fault(CAPACITY, text)
    return Fault(UNAVAILABLE if status == 503 else WRONG, text)
