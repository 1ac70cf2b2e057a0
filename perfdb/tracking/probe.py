"""Is anything there? Asked with the standard library alone, before seconds are spent on importing MLflow."""

from __future__ import annotations

import http.client
import os
import socket
import sqlite3
import ssl
import threading
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urlsplit

from perfdb.tracking.faults import move_away, plain
from perfdb.tracking.target import Target

SQLITE = "sqlite:///"
# Where MLflow takes a name alone for a service; and its databases behind a network, with their usual ports.
_NAMES = ("databricks", "uc")
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


def probe(target: Target, timeout_s: float) -> str | None:
    """Why MLflow can't work there, to be read after "MLflow at <uri>", or None. Takes at most about `timeout_s`."""
    answer: list[str | None] = [f"does not answer within {timeout_s:.1g} s"]

    def ask() -> None:
        if target.is_http:
            answer[0] = _ask_server(target.uri, timeout_s)
        elif target.uri.startswith(SQLITE):
            answer[0] = _ask_sqlite(target.uri, 0.8 * timeout_s)
        else:
            answer[0] = _ask_other(target.uri, 0.8 * timeout_s)

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
        return f"does not answer within {timeout_s:.1g} s"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"cannot be reached: {plain(error) or type(error).__name__}"
    return None


def _ask_other(uri: str, timeout_s: float) -> str | None:
    if uri.startswith("file:") or ("://" not in uri and uri not in _NAMES):
        if os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in ("true", "1"):
            return None
        return (
            "is a plain folder, with which MLflow works no more (`mlflow migrate-filestore` makes a database of it), or an "
            "address that lacks its http://. Write http://HOST:PORT or sqlite:///FILE; without MLFLOW_TRACKING_URI, "
            "runs go to the local one"
        )
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme.partition("+")[0])
    except ValueError as error:
        return f"is no address: {plain(error)}"
    if not host or port is None:
        return None  # only MLflow knows
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError as error:
        return f"cannot be reached: {plain(error) or type(error).__name__}"
    return None


def _ask_sqlite(uri: str, timeout_s: float) -> str | None:
    path = Path(unquote(uri.removeprefix(SQLITE)))
    if not path.is_file() or not path.stat().st_size:
        return None  # still to be made
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
