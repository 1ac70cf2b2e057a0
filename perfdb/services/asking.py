"""One HTTP request to a server that may be anybody: bounded in time and in size, through no proxy."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from typing import Any

from perfdb.errors import ServiceError
from perfdb.services.addresses import Address

_TIMEOUT_S = 5.0
LONGEST_ANSWER = 32 * 1024 * 1024


def get(address: Address, path: str, timeout_s: float = _TIMEOUT_S) -> bytes:
    """The body of the answer to a GET.

    Raises:
        ServiceError: there is none, it is no success, or it is too long.
    """
    connection = http.client.HTTPConnection(address.host, address.port, timeout=timeout_s)
    alarm: _Alarm | None = None
    try:
        connection.connect()
        alarm = _Alarm(connection.sock, timeout_s)
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read(LONGEST_ANSWER + 1)
    except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
        raise ServiceError(
            f"{address.url}{path} does not answer: {str(error)[:200] or type(error).__name__}."
        ) from error
    finally:
        connection.close()
        if alarm is not None:
            alarm.cancel()
    if alarm.rang:
        raise ServiceError(f"{address.url}{path} does not answer within {timeout_s:g} s.")
    if response.status != 200:
        raise ServiceError(f"{address.url}{path} answers with status {response.status}.")
    if len(body) > LONGEST_ANSWER:
        raise ServiceError(f"{address.url}{path} answers with more than {LONGEST_ANSWER} bytes.")
    return body


class _Alarm(threading.Timer):
    """Hangs up at last: a socket's own time limit is for each of its bytes, and one who sends them slowly would hold us for ever."""

    def __init__(self, connected: socket.socket, timeout_s: float) -> None:
        super().__init__(timeout_s, self._ring)
        self.daemon = True
        self.rang = False
        self._connected = connected
        self.start()

    def _ring(self) -> None:
        self.rang = True
        with contextlib.suppress(OSError):  # it was closed just now
            self._connected.shutdown(socket.SHUT_RDWR)


def get_json(address: Address, path: str, timeout_s: float = _TIMEOUT_S) -> Any:
    """The JSON document in the answer.

    Raises:
        ServiceError: as `get`, or it is none.
    """
    try:
        return json.loads(get(address, path, timeout_s))
    except (ValueError, RecursionError) as error:
        raise ServiceError(f"{address.url}{path} does not answer with JSON.") from error


def is_healthy(address: Address, timeout_s: float = _TIMEOUT_S) -> bool:
    """Whether `GET /health` is a success."""
    try:
        get(address, "/health", timeout_s)
    except ServiceError:
        return False
    return True
