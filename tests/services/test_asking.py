"""One request to a server that may be anybody."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from perfdb.errors import ServiceError
from perfdb.services import asking
from perfdb.services.addresses import Address
from tests.services.serving import lean_server

_HEAD = b"HTTP/1.1 200 OK\r\n"


@contextlib.contextmanager
def stranger(answer: Callable[[socket.socket], None]) -> Iterator[Address]:
    """A server that answers one connection in its own way."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            taken, _ = listening.accept()
            with taken:
                taken.recv(65536)
                answer(taken)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Address("127.0.0.1", listening.getsockname()[1])
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _drip(taken: socket.socket) -> None:
    """A byte now and then, for a minute."""
    taken.sendall(_HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(300):
        taken.sendall(b"x")
        time.sleep(0.2)


def _drip_head(taken: socket.socket) -> None:
    for _ in range(300):
        taken.sendall(b"X: y\r\n" if _ else _HEAD)
        time.sleep(0.2)


@pytest.mark.parametrize("answer", [_drip, _drip_head, lambda taken: time.sleep(3)])
def test_one_who_answers_ever_so_slowly_does_not_hold_us(answer: Callable[[socket.socket], None]):
    with stranger(answer) as address:
        begun = time.monotonic()
        with pytest.raises(ServiceError, match="does not answer"):
            asking.get(address, "/", timeout_s=1)
        assert time.monotonic() - begun < 10  # neither a minute nor for ever


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "does not answer"),
        (b"\x00\x01", "does not answer"),
        (b"HTTP/1.1 503 Busy\r\n\r\n", "answers with status 503"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", "answers with status 302"),
        (_HEAD + b"\r\n" + b"x" * 2000, "more than 1000 bytes"),
        (_HEAD + b"Content-Length: nonsense\r\n\r\nno json", "does not answer with JSON"),
        (_HEAD + b"\r\n" + b"[" * 900, "does not answer with JSON"),
        (_HEAD + b"X: y\r\n" * 200 + b"\r\n", "does not answer"),
    ],
)
def test_an_answer_that_is_none_is_told(data: bytes, words: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(asking, "LONGEST_ANSWER", 1000)
    with stranger(lambda taken: taken.sendall(data)) as address, pytest.raises(ServiceError, match=words):
        asking.get_json(address, "/stats")


def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with lean_server() as address:
        assert asking.is_healthy(address)
