"""RFC 6455 on the server's side, against what a client may send and what it may not."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.services.lean import frames


def sent(payload: bytes, mask: bytes, *, opcode: int = frames.TEXT, final: bool = True) -> bytes:
    """A frame as a client sends it, written down from RFC 6455, section 5.2."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | size])
    elif size < 65536:
        head = bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | 127]) + size.to_bytes(8, "big")
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([(0x80 if final else 0) | opcode]) + head + mask + masked


masks = st.binary(min_size=4, max_size=4)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), masks, st.integers(1, 40))
def test_frames_come_out_as_they_went_in_however_they_are_cut(payloads: list[bytes], mask: bytes, cut: int):
    stream = b"".join(sent(payload, mask) for payload in payloads)
    data, found = bytearray(), []
    for at in range(0, len(stream), cut):
        data += stream[at : at + cut]
        while frame := frames.take(data):
            found.append(frame.payload)
    assert found == payloads
    assert not data


@pytest.mark.parametrize("size", [0, 1, 3, 125, 126, 65535, frames.LONGEST])
def test_every_way_to_write_a_length_is_read(size: int):
    payload = os.urandom(size)
    assert frames.take(bytearray(sent(payload, b"\x01\x02\x03\x04"))) == (True, frames.TEXT, payload)


def test_a_frame_that_is_too_long_is_refused_before_it_has_come():
    head = sent(b"x" * (frames.LONGEST + 1), b"mask")[:20]
    with pytest.raises(frames.FrameError) as refused:
        frames.take(bytearray(head))
    assert refused.value.code == 1009


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\x01x",  # no mask
        b"\xc1\x81maskx",  # compressed, which was not agreed on
        b"\x09\x80mask",  # a ping in parts
        b"\x89\xfe\x00\x7emask",  # a ping that is too long
    ],
)
def test_what_a_client_may_not_send_is_refused(data: bytes):
    with pytest.raises(frames.FrameError) as refused:
        frames.take(bytearray(data))
    assert refused.value.code == 1002


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(data: bytes):
    with contextlib.suppress(frames.FrameError):
        frames.take(bytearray(data))


def test_the_handshake_answers_as_in_the_standards_own_example():
    assert frames.accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
