"""As much of HTTP/1.1 as a benchmark needs: one request at a time, bodies of a known length."""

from __future__ import annotations

from typing import NamedTuple

_LONGEST_HEAD = 16 * 1024
_LONGEST_BODY = 64 * 1024
_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    404: b"Not Found",
    405: b"Method Not Allowed",
    411: b"Length Required",
    413: b"Content Too Large",
    422: b"Unprocessable Content",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


class RequestError(Exception):
    """What came is no request that we take; `status` answers it, and the connection ends."""

    def __init__(self, status: int) -> None:
        self.status = status


class Request(NamedTuple):
    """One request. Names of headers are in lower case."""

    method: bytes
    path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes
    keep_alive: bool

    @property
    def wants_websocket(self) -> bool:
        """Whether it is the start of a WebSocket connection that we can talk on."""
        return (
            self.headers.get(b"upgrade", b"").lower() == b"websocket"
            and b"upgrade" in self.headers.get(b"connection", b"").lower()
            and self.headers.get(b"sec-websocket-version") == b"13"
            and 16 <= len(self.headers.get(b"sec-websocket-key", b"")) <= 64
        )


def take(data: bytearray) -> Request | None:
    """Take the first request off `data`; None where it is not there as a whole yet.

    Raises:
        RequestError: it is none that we take.
    """
    end = data.find(b"\r\n\r\n", 0, _LONGEST_HEAD)
    if end < 0:
        if len(data) >= _LONGEST_HEAD:
            raise RequestError(431)
        return None
    first, *lines = bytes(data[:end]).split(b"\r\n")
    words = first.split(b" ")
    if len(words) != 3 or words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise RequestError(400)
    headers = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise RequestError(400)
        headers[name.lower()] = value.strip()
    size = _body_size(headers)
    if len(data) < end + 4 + size:
        return None
    body = bytes(data[end + 4 : end + 4 + size])
    del data[: end + 4 + size]
    path, _, query = words[1].partition(b"?")
    connection = headers.get(b"connection", b"").lower()
    keep_alive = b"close" not in connection and (words[2] == b"HTTP/1.1" or b"keep-alive" in connection)
    return Request(words[0], path, query, headers, body, keep_alive)


def _body_size(headers: dict[bytes, bytes]) -> int:
    if b"transfer-encoding" in headers:
        raise RequestError(411)
    said = headers.get(b"content-length", b"0")
    if not said.isdigit() or len(said) > 12:
        raise RequestError(400)
    if (size := int(said)) > _LONGEST_BODY:
        raise RequestError(413)
    return size


def response(status: int, body: bytes, *, keep_alive: bool) -> bytes:
    """A whole JSON response."""
    connection = b"" if keep_alive else b"connection: close\r\n"
    return b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%b\r\n%b" % (
        status,
        _REASONS[status],
        len(body),
        connection,
        body,
    )


def switching(accept: bytes) -> bytes:
    """The response that begins a WebSocket connection."""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: %b\r\n\r\n"
        % accept
    )
