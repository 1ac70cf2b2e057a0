"""What the environment says: the answers to what is asked rightly as openenv-core gives them, field by field.

Errors have its codes; their texts and details are shorter.
"""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import parse_qs

# A slip in a plan must not hold a session for days.
LONGEST_WAIT_S = 3600.0


class Session:
    """One environment: what tells it from others, and how far it got."""

    def __init__(self, host_url: str, pid: int) -> None:
        self.hash = os.urandom(8).hex()
        self.steps = 0
        self._constant = f'"pid":{pid},"session_hash":"{self.hash}","host_url":{json.dumps(host_url)}'

    def observed(self, waited_s: float) -> bytes:
        """The `data` of an answer."""
        return (
            f'{{"observation":{{"waited_seconds":{waited_s!r},{self._constant},"step_count":{self.steps}}},'
            f'"reward":null,"done":false}}'
        ).encode()


def message(kind: bytes, data: bytes) -> bytes:
    """One answer on a WebSocket."""
    return b'{"type":"%b","data":%b}' % (kind, data)


def error(text: str, code: str, **more: Any) -> bytes:
    """An answer that tells of an error."""
    return message(b"error", json.dumps({"message": text, "code": code} | more).encode())


def at_capacity(active: int, most: int) -> bytes:
    """What a session is told that finds no room, before its connection is closed."""
    text = f"Server at capacity: {active}/{most} sessions active. Cannot accept new connections."
    return error(text, "CAPACITY_REACHED", active_sessions=active, max_sessions=most)


def wait_of(action: Any) -> float | None:
    """The seconds that an action asks to wait; None where it is no action."""
    if not isinstance(action, dict) or set(action) - {"wait_seconds", "metadata"}:
        return None
    wait_s = action.get("wait_seconds")
    if isinstance(wait_s, bool) or not isinstance(wait_s, int | float):
        return None
    return float(wait_s) if 0 <= wait_s <= LONGEST_WAIT_S else None


def wait_of_body(body: bytes) -> float | None:
    """Likewise in seconds, of the body of POST /step."""
    document = parsed(body)
    return wait_of(document.get("action")) if isinstance(document, dict) else None


def wait_of_query(query: bytes) -> float | None:
    """Likewise in seconds, of `GET /step?wait_seconds=1`, for clients that can only GET."""
    try:
        return wait_of({"wait_seconds": float(parse_qs(query.decode("ascii"))["wait_seconds"][0])})
    except (ValueError, KeyError):
        return None


def parsed(text: bytes) -> Any:
    """The JSON document, or None."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
