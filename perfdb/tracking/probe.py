"""Is anything there? Asked with the standard library alone, before seconds are spent on importing MLflow."""

from __future__ import annotations

import http.client
import sqlite3
import ssl
import threading
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urlsplit

from perfdb.tracking.faults import move_away, plain
from perfdb.tracking.target import Target

SQLITE = "sqlite:///"


def probe(target: Target, timeout_s: float) -> str | None:
    """Why MLflow can't work there, to be read after "MLflow at <uri>", or None. Takes at most about `timeout_s`."""
    answer: list[str | None] = [f"does not answer within {timeout_s:g} s"]

    def ask() -> None:
        answer[0] = _ask_server(target.uri, timeout_s) if target.is_http else _ask_sqlite(target.uri, 0.8 * timeout_s)

    # Looking a name up can't be given a time limit, so it is left behind in a thread.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return answer[0]


def answers(url: str, timeout_s: float) -> bool:
    """Whether a web server answers at `url`, with whatever it likes."""
    return _ask_server(url, timeout_s) is None


def _ask_server(uri: str, timeout_s: float) -> str | None:
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return f"is no address: {plain(error)}"
    if urllib.request.getproxies().get(parts.scheme) and not urllib.request.proxy_bypass(host):
        return None  # a proxy would answer for it: only MLflow's own client can tell
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = make(host, port, timeout=timeout_s)
        try:
            connection.request("GET", f"{parts.path.rstrip('/')}/health")
            connection.getresponse()
        finally:
            connection.close()
    except ssl.SSLCertVerificationError:
        return None  # alive; whether to trust it is decided by MLflow's own settings
    except TimeoutError:
        return f"does not answer within {timeout_s:g} s"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"cannot be reached: {plain(error) or type(error).__name__}"
    return None


def _ask_sqlite(uri: str, timeout_s: float) -> str | None:
    path = Path(unquote(uri.removeprefix(SQLITE)))
    if not uri.startswith(SQLITE) or not path.is_file() or not path.stat().st_size:
        return None  # another kind of database, or one that is still to be made
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=timeout_s)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        held = "locked" in str(error)
        return "is locked by another process" if held else f"cannot be read: {plain(error)}"
    except sqlite3.DatabaseError as error:
        return f"is damaged: {plain(error)}. {move_away(path)}"
    return None
