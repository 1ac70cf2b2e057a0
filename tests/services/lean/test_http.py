"""As much of HTTP/1.1 as the lean server takes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.services.lean import http

STEP = b"POST /step?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nX-Odd:  kept \r\n\r\n{}"
GET = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@given(st.integers(1, 30))
def test_requests_come_out_the_same_however_they_are_cut(cut: int):
    stream, data, found = STEP + GET + STEP, bytearray(), []
    for at in range(0, len(stream), cut):
        data += stream[at : at + cut]
        while request := http.take(data):
            found.append((request.method, request.path, request.query, request.body))
    step = (b"POST", b"/step", b"a=1", b"{}")
    assert found == [step, (b"GET", b"/health", b"", b""), step]


def test_headers_are_found_by_lower_case_and_without_their_blanks():
    request = http.take(bytearray(STEP))
    assert request is not None
    assert request.headers[b"x-odd"] == b"kept"


@pytest.mark.parametrize(
    ("data", "keeps"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_a_connection_is_kept_as_its_version_says(data: bytes, keeps: bool):
    request = http.take(bytearray(data))
    assert request is not None
    assert request.keep_alive is keeps


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nName : blank\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000, 431),
    ],
)
def test_what_is_not_taken_is_refused_with_its_status(data: bytes, status: int):
    with pytest.raises(http.RequestError) as refused:
        http.take(bytearray(data))
    assert refused.value.status == status


@given(st.binary(max_size=300).map(lambda data: data + b"\r\n\r\n"))
def test_no_bytes_make_it_fail_otherwise(data: bytes):
    with contextlib.suppress(http.RequestError):
        http.take(bytearray(data))
