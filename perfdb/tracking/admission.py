"""Whether an MLflow server lets us in, asked with the standard library alone and as MLflow's client would sign in."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from perfdb.tracking.faults import plain
from perfdb.tracking.signin import PASSWORD, TOKEN, USERNAME, sent

_QUESTION = "/api/2.0/mlflow/experiments/search?max_results=1"
_MOST_BYTES = 1 << 20
_REFUSALS: Mapping[int, Literal["unknown", "forbidden"]] = {401: "unknown", 403: "forbidden"}
_VERSION = re.compile(r"\d{1,6}(\.\w{1,12}){1,4}")


@dataclass(frozen=True)
class Admission:
    """What came of knocking.

    Attributes:
        outcome: `in`; `unknown`: it does not know who we are; `forbidden`: it knows, or does not care, and refuses us;
            `stranger`: something answers, and it is no MLflow; `down`.
        told: What it said, where it is not `in`: one line, without credentials.
        version: The server's MLflow, where it says so.
    """

    outcome: Literal["in", "unknown", "forbidden", "stranger", "down"]
    told: str = ""
    version: str | None = None


def knock(uri: str, timeout_s: float) -> Admission:
    """Ask a server for its experiments. Looking up its name can take longer than `timeout_s`; nothing else does.

    Args:
        uri: http or https; a user and a password in it are used, as MLflow's client does.
        timeout_s: Seconds for each of two requests, > 0.
    """
    try:
        bare, authorization = _apart(uri)
    except ValueError as error:
        return Admission("down", f"it is no address: {plain(error)}")
    try:
        status, body = _get(bare + _QUESTION, authorization, timeout_s)
    except urllib.error.URLError as error:
        return Admission("down", plain(error.reason))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Admission("down", plain(error) or type(error).__name__)
    if refusal := _REFUSALS.get(status):
        return Admission(refusal, f"status {status}")
    if status != 200 or not _is_answer(body):
        return Admission("stranger", f"status {status}")
    version = None
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        status, body = _get(bare + "/version", authorization, timeout_s)
        said = body.decode(errors="replace").strip()
        version = said if status == 200 and _VERSION.fullmatch(said) else None
    return Admission("in", version=version)


def _apart(uri: str) -> tuple[str, str | None]:
    """The address without credentials, and the header that they make."""
    parts = urlsplit(uri)
    assert parts.port is None or parts.port >= 0  # raises ValueError where it is none
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
    if parts.username is not None:
        return bare, _basic(unquote(parts.username), unquote(parts.password or ""))
    user, password, token = sent(USERNAME), sent(PASSWORD), os.environ.get(TOKEN)
    if user and password:
        return bare, _basic(user, password)
    return bare, f"Bearer {token}" if token else None


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _get(address: str, authorization: str | None, timeout_s: float) -> tuple[int, bytes]:
    request = urllib.request.Request(address)  # noqa: S310 the caller says that it is http
    if authorization is not None:
        # Not to whomever the server may send us on to.
        request.add_unredirected_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(request, timeout=timeout_s, context=_context()) as answer:  # noqa: S310 as above
            return answer.status, answer.read(_MOST_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""


def _context() -> ssl.SSLContext:
    env = os.environ.get
    given = env("MLFLOW_TRACKING_SERVER_CERT_PATH") or env("REQUESTS_CA_BUNDLE")
    folder = given if given and Path(given).is_dir() else None
    context = ssl.create_default_context(cafile=None if folder else given, capath=folder)
    if env("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_answer(body: bytes) -> bool:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and (not document or "experiments" in document)
