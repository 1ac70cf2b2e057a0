"""WebSocket on the server's side (RFC 6455): the handshake, and frames in and out."""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LONGEST = 64 * 1024
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
NORMAL, PROTOCOL_ERROR, TOO_BIG = 1000, 1002, 1009


class FrameError(Exception):
    """What came is no frame that a client may send. `code` is what the connection is closed with."""

    def __init__(self, code: int) -> None:
        self.code = code


class Frame(NamedTuple):
    """One frame, unmasked."""

    final: bool
    opcode: int
    payload: bytes


def accept_key(key: bytes) -> bytes:
    """The answer to a client's Sec-WebSocket-Key."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


def take(data: bytearray) -> Frame | None:
    """Take the first frame off `data`; None where it is not there as a whole yet.

    Raises:
        FrameError: it is none that we take.
    """
    if len(data) < 2:
        return None
    first, second = data[0], data[1]
    if first & 0x70 or not second & 0x80:  # an extension that was not agreed on, or no mask
        raise FrameError(PROTOCOL_ERROR)
    opcode, size, at = first & 0x0F, second & 0x7F, 2
    if opcode >= CLOSE and (size > 125 or not first & 0x80):
        raise FrameError(PROTOCOL_ERROR)
    if size > 125:
        width = 2 if size == 126 else 8
        if len(data) < at + width:
            return None
        size, at = int.from_bytes(data[at : at + width]), at + width
        if size > LONGEST:
            raise FrameError(TOO_BIG)
    end = at + 4 + size
    if len(data) < end:
        return None
    payload = _unmasked(bytes(data[at : at + 4]), bytes(data[at + 4 : end]))
    del data[:end]
    return Frame(bool(first & 0x80), opcode, payload)


def _unmasked(mask: bytes, masked: bytes) -> bytes:
    size = len(masked)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(masked) ^ int.from_bytes(repeated)).to_bytes(size)


def frame(opcode: int, payload: bytes) -> bytes:
    """A whole frame as a server sends it."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2) + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8) + payload


def close_frame(code: int) -> bytes:
    """The frame that ends a connection."""
    return frame(CLOSE, code.to_bytes(2))
