"""One GET from whoever answers there: bounded in time and in size."""

import http.client
import io
import socket
import time

MOST_BYTES = 16 * 1024 * 1024


class _Kept:
    """As much of a socket as reading an answer that is all there takes."""

    def __init__(self, data):
        self._data = data

    def makefile(self, _):
        return io.BytesIO(self._data)


def named(address):
    """(host, port) as one word."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def get(address, path, timeout_s):
    """The body of a success, None where there is none in time. `address` is (host, port)."""
    until = time.monotonic() + timeout_s
    try:
        with socket.create_connection(address, timeout_s) as connected:
            asked = f"GET {path} HTTP/1.1\r\nHost: {named(address)}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
            connected.sendall(asked.encode("ascii"))
            data = _all(connected, until)
        if data is None:
            return None
        answer = http.client.HTTPResponse(_Kept(data), method="GET")
        answer.begin()
        body = answer.read()
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return body if answer.status == 200 else None


def _all(connected, until):
    """What comes up to the end of the stream; None where that takes too long, or is too much."""
    data = bytearray()
    while True:
        left_s = until - time.monotonic()
        if left_s <= 0 or len(data) > MOST_BYTES:
            return None
        connected.settimeout(left_s)
        part = connected.recv(65536)
        if not part:
            return bytes(data)
        data += part
