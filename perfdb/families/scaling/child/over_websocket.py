"""Just enough WebSocket (RFC 6455) for a client: text out, messages in."""

import base64
import hashlib
import os

import faults
import over_http

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_TRY_AGAIN_LATER = 1013


class Closed:
    """The other side closed the conversation."""

    def __init__(self, code, reason):
        self.code = code
        self.reason = reason


def handshake(target, path):
    """The request to change to WebSocket, and what the answer must name."""
    key = base64.b64encode(os.urandom(16))
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {target.authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key.decode('ascii')}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    digest = hashlib.sha1(key + _GUID).digest()  # noqa: S324 (RFC 6455 asks for it)
    return head.encode("ascii"), base64.b64encode(digest).decode("ascii")


def read_handshake(buffer, ended):
    """Status, header fields, and as much of a refusal's body as is there."""
    head = over_http.read_head(buffer, ended)
    return None if head is None else (*head, b"" if head[0] == 101 else bytes(buffer[: faults.LONGEST]))


def accept(answer, expected):
    """Make sure that the other side agreed."""
    status, fields, body = answer
    if status != 101:
        raise faults.of_status(status, body)
    if fields.get("sec-websocket-accept") != expected:
        raise faults.Fault(faults.WRONG, "an upgrade that is no WebSocket's")


def frame(data, code=_TEXT):
    """A masked frame, as clients send them."""
    size = len(data)
    length = bytes((0x80 | size,)) if size < 126 else bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    mask = os.urandom(4)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return bytes((0x80 | code,)) + length + mask + (int.from_bytes(data, "big") ^ key).to_bytes(size, "big")


def close_frame():
    """We are done."""
    return frame((1000).to_bytes(2, "big"), _CLOSE)


class Reader:
    """Reads one message: its bytes, or `Closed`. `send` answers a ping."""

    def __init__(self, send):
        self._send = send
        self._parts = bytearray()

    def __call__(self, buffer, ended):  # noqa: ARG002 (readers are called alike)
        """The message, None while it is not all there."""
        while True:
            found = _take(buffer)
            if found is None:
                return None
            last, code, data = found
            if code == _PING:
                self._send(frame(data, _PONG))
            elif code == _CLOSE:
                return Closed(
                    int.from_bytes(data[:2], "big") if len(data) >= 2 else 1005, data[2:].decode("utf-8", "replace")
                )
            elif code in (_CONTINUATION, _TEXT, _BINARY):
                self._parts += data
                if len(self._parts) > over_http.LONGEST_BODY:
                    raise faults.Fault(faults.WRONG, "a message without end")
                if last:
                    message, self._parts = bytes(self._parts), bytearray()
                    return message
            elif code != _PONG:
                raise faults.Fault(faults.WRONG, f"a frame of the unknown kind {code}")


def closed(message):
    """What it means where an answer was due."""
    text = f"closed with {message.code} {faults.theirs(message.reason)}"
    capacity = message.code == _TRY_AGAIN_LATER or "capacity" in message.reason.lower()
    return faults.Fault(faults.CAPACITY if capacity else faults.RESET, text)


def _take(buffer):
    if len(buffer) < 2:
        return None
    size, start = buffer[1], 2
    if buffer[0] & 0x70 or size & 0x80:
        raise faults.Fault(faults.WRONG, "no frame of a WebSocket server")
    if size >= 126:
        start = 4 if size == 126 else 10
        if len(buffer) < start:
            return None
        size = int.from_bytes(buffer[2:start], "big")
        if size > over_http.LONGEST_BODY:
            raise faults.Fault(faults.WRONG, f"a frame of {size} bytes")
    if len(buffer) < start + size:
        return None
    found = buffer[0] & 0x80, buffer[0] & 0x0F, bytes(buffer[start : start + size])
    del buffer[: start + size]
    return found
