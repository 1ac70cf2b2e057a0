"""Bytes that arrive in whatever pieces, and some that no server should send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.families.scaling.loads import child_modules

over_http, over_websocket, faults = child_modules("over_http", "over_websocket", "faults")
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
pieces = st.lists(st.integers(1, 9), max_size=200)


def fed(reader, data: bytes, cuts: list[int], ended: bool = False):
    """Every answer that the reader has found once it was given the data in such pieces, and what was left."""
    buffer = bytearray()
    found = []
    at = 0
    for cut in [*cuts, len(data)]:
        buffer += data[at : at + cut]
        at += cut
        while (answer := reader(buffer, ended and at >= len(data))) is not None:
            found.append(answer)
            if not buffer:
                break
        if at >= len(data):
            break
    return found, bytes(buffer)


@given(pieces, st.binary(max_size=300))
def test_an_http_answer_is_the_same_in_any_pieces(cuts, body):
    data = b"HTTP/1.1 200 OK\r\nContent-length: %d\r\nX: y\r\n\r\n" % len(body) + body
    assert fed(over_http.Reader(), data, cuts) == ([(200, body)], b"")


@given(pieces, st.lists(st.binary(min_size=1, max_size=40), max_size=6))
def test_chunks_are_put_together(cuts, parts):
    data = b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n"
    data += b"".join(b"%x;a=b\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    assert fed(over_http.Reader(), data, cuts) == ([(503, b"".join(parts))], b"")


def test_an_answer_without_a_length_ends_with_the_stream():
    data = b"HTTP/1.0 200 OK\r\n\r\nabc"
    assert fed(over_http.Reader(), data, [], ended=True) == ([(200, b"abc")], b"")
    assert fed(over_http.Reader(), data, [])[0] == []


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-server\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 000000000000999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"0" * 12 + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
        b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2_000_000,
    ],
)
def test_what_is_no_answer_of_http_is_wrong(data):
    with pytest.raises(faults.Fault) as caught:
        fed(over_http.Reader(), data, [])
    assert caught.value.kind == "wrong_answer"


def test_a_length_with_zeros_before_it_is_that_length():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0000000000000000003\r\n\r\n"
    assert fed(over_http.Reader(), head + b"abc", []) == ([(200, b"abc")], b"")
    assert fed(over_http.Reader(), head.replace(b"3", b"0"), []) == ([(200, b"")], b"")


@given(st.binary(max_size=200), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\nContent-Length: ", b"HTTP/1.1 ", CHUNKED]))
def test_no_bytes_are_more_than_wrong(data, start):
    for reader in (over_http.Reader(), over_websocket.Reader(lambda data: None), over_websocket.read_handshake):
        try:
            fed(reader, start + data, [len(start)], ended=True)
        except faults.Fault as fault:
            assert fault.kind == "wrong_answer"


def server_frame(code: int, data: bytes, last: bool = True) -> bytes:
    size = len(data)
    head = bytes((0x80 * last | code,))
    if size < 126:
        return head + bytes((size,)) + data
    if size < 65_536:
        return head + b"\x7e" + size.to_bytes(2, "big") + data
    return head + b"\x7f" + size.to_bytes(8, "big") + data


@given(pieces, st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.binary(max_size=100))
def test_a_message_in_frames_with_pings_between_them_is_the_same_in_any_pieces(cuts, parts, ping):
    data = b""
    for index, part in enumerate(parts):
        data += server_frame(1 if index == 0 else 0, part, last=index == len(parts) - 1) + server_frame(9, ping)
    sent = []
    message = b"".join(parts)
    found, rest = fed(over_websocket.Reader(sent.append), data + server_frame(1, b"next"), cuts)
    assert (found, rest) == ([message, b"next"], b"")
    assert [unmasked(frame) for frame in sent] == [(10, ping)] * len(parts)


def unmasked(frame: bytes) -> tuple[int, bytes]:
    """A client's frame as a server reads it."""
    assert frame[0] & 0x80
    assert frame[1] & 0x80
    start = 2 if frame[1] & 0x7F < 126 else 4
    mask, data = frame[start : start + 4], frame[start + 4 :]
    assert len(data) == (frame[1] & 0x7F if start == 2 else int.from_bytes(frame[2:4], "big"))
    return frame[0] & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))


@given(st.binary(max_size=1000))
def test_a_frame_of_ours_is_masked_as_the_standard_asks(data):
    assert unmasked(over_websocket.frame(data)) == (1, data)


def test_a_long_message_is_read_and_an_endless_one_is_wrong():
    reader = over_websocket.Reader(lambda data: None)
    assert fed(reader, server_frame(2, b"x" * 70_000), [])[0] == [b"x" * 70_000]
    for data in (
        b"\x81\x7f" + (2**40).to_bytes(8, "big"),
        server_frame(1, b"x" * 600_000, last=False) + server_frame(0, b"x" * 600_000),
        b"\xc1\x00",  # an extension that nobody agreed on
        b"\x81\x80",  # masked by a server
        b"\x83\x00",
    ):
        with pytest.raises(faults.Fault) as caught:
            fed(over_websocket.Reader(lambda data: None), data, [])
        assert caught.value.kind == "wrong_answer"


@pytest.mark.parametrize(
    ("code", "reason", "kind"), [(1013, "", "capacity"), (1008, "at capacity", "capacity"), (1011, "bug", "reset")]
)
def test_a_close_where_an_answer_was_due_is_classed(code, reason, kind):
    data = server_frame(8, code.to_bytes(2, "big") + reason.encode())
    ((closed,), _) = fed(over_websocket.Reader(lambda data: None), data, [])
    assert over_websocket.closed(closed).kind == kind


def test_a_handshake_is_the_standards_own_example():
    assert over_websocket._GUID.decode() == "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    head = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x00"
    buffer = bytearray(head)
    answer = over_websocket.read_handshake(buffer, False)
    over_websocket.accept(answer, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    assert bytes(buffer) == b"\x81\x00"
    with pytest.raises(faults.Fault, match=r"no WebSocket"):
        over_websocket.accept(answer, "another")
