"""What a person may read about MLflow's failures: no secret, no control character, no wall of text, and a next step."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from perfdb.errors import TrackingError
from perfdb.tracking.signin import secrets

SYNC_HINT = "The record itself is safe; once MLflow works again, send what is missing with `perfdb sync`"
LONGEST_DETAIL = 300
_CREDENTIALS = re.compile(r"://[^\s/]*@|://\S*@(?=[^\s/@]*(?:[:/]|$))")
_QUERY = re.compile(r"(://[^\s?]*)\?\S*")


def masked(text: str) -> str:
    """`text` without the user and password of any address in it, nor what follows a `?`, nor MLflow's credentials."""
    for secret in secrets():
        text = text.replace(secret, "***")
    return _QUERY.sub(r"\1?***", _CREDENTIALS.sub("://***@", text))


def address(uri: str) -> str:
    """A tracking URI without user, password and query: what is the same for everybody who uses that MLflow."""
    return _CREDENTIALS.sub("://", uri).partition("?")[0]


def shown(uri: str) -> str:
    """A tracking URI as it may be printed."""
    return plain(uri)


def plain(text: object, limit: int = LONGEST_DETAIL) -> str:
    """One printable line of at most `limit` characters, credentials masked. Servers answer what they like."""
    line = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in str(text)[: limit * 20])
    line = masked(" ".join(line.split()))
    return line if len(line) <= limit else f"{line[: limit - 2]} …"


def trouble(uri: str, what: str) -> TrackingError:
    """The one paragraph about an MLflow that does not do its work; `what` continues "MLflow at <uri>"."""
    return TrackingError(f"MLflow at {shown(uri)} {what.rstrip('. ')}. {SYNC_HINT}.")


def move_away(database: Path) -> str:
    """What to do about a SQLite file that MLflow can't go on with."""
    path = plain(database)
    return (
        f"Stop what uses it (`perfdb server stop`) and move it away (`mv {path} {path}.old`): the next `perfdb sync` builds "
        "it anew from the records"
    )
