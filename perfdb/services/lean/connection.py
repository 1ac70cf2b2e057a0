"""One connection of the lean server: HTTP, which may turn into a WebSocket session."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from perfdb.services.lean import frames, http
from perfdb.services.lean import observation as said
from perfdb.services.lean.planned import Planned
from perfdb.services.lean.tally import Tally

_LONGEST_BUFFER = 128 * 1024
_MOST_QUEUED = 64
_NOT_ALLOWED = b'{"detail":"Method Not Allowed"}'
# Of each kind of message, as openenv-core knows them.
_FIELDS = {"reset": {"type", "data"}, "step": {"type", "data"}, "state": {"type"}, "close": {"type"}}
_INVALID = ("Invalid message", "VALIDATION_ERROR")


@dataclass
class House:
    """What all connections of one worker share."""

    host_url: str
    pid: int
    capacity: int
    tally: Tally
    delay_s: float
    delays: Planned
    refusals: Planned
    loop: asyncio.AbstractEventLoop
    stats: Callable[[], dict[str, object]]
    sessions: int = 0
    connections: set[Connection] = field(default_factory=set)


class Connection(asyncio.Protocol):
    """See the module."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._data = bytearray()
        self._session: said.Session | None = None  # of a WebSocket
        self._fragments: bytes | None = None  # of a message whose end is still to come
        self._queued: deque[bytes] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's."""
        self._transport = cast(asyncio.Transport, transport)
        self._house.connections.add(self)
        self._house.tally.add("connections_open")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the name is asyncio's)
        """Asyncio's."""
        self._over = True
        self._house.connections.discard(self)
        self._house.tally.add("connections_open", -1)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._house.tally.add("steps_in_flight", -1)
        self._end_session()

    def pause_writing(self) -> None:
        """Asyncio's: a client that does not read its answers."""
        self._over = True  # or further answers would be written to what is closed, and each be told in the log
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Asyncio's."""
        self._data += data
        self._go_on()
        if len(self._data) > _LONGEST_BUFFER and not self._is_full:
            self._over = True
            self._transport.abort()

    @property
    def _is_full(self) -> bool:
        return len(self._queued) >= _MOST_QUEUED

    def close(self) -> None:
        """The server ends."""
        if self._session is not None:
            self._transport.write(frames.close_frame(1001))
        self._transport.close()

    def _go_on(self) -> None:
        try:
            while not (self._over or self._is_full) and (
                self._take_frame() if self._session is not None else self._take_request()
            ):
                pass
        except frames.FrameError as error:
            self._end(frames.close_frame(error.code))
        except http.RequestError as error:
            self._end(http.response(error.status, b"{}", keep_alive=False))
        if self._is_full:
            self._transport.pause_reading()  # the rest waits with the client
        else:
            self._transport.resume_reading()

    def _end(self, last: bytes) -> None:
        self._over = True
        self._end_session()
        self._transport.write(last)
        self._transport.close()

    def _end_session(self) -> None:
        if self._session is not None:
            self._session = None
            self._house.sessions -= 1
            self._house.tally.session(-1)

    # HTTP

    def _take_request(self) -> bool:
        if self._timer is not None or (request := http.take(self._data)) is None:
            return False
        house = self._house
        if request.path == b"/ws":
            self._open(request)
            return True
        house.tally.add("requests_total")
        if request.path == b"/stats" and request.method == b"GET":
            self._answer(request, 200, json.dumps(house.stats()).encode())
        elif request.path == b"/stats/reset" and request.method == b"POST":
            house.tally.reset()
            self._answer(request, 200, b"{}")
        elif request.path == b"/health" and request.method != b"GET":
            self._answer(request, 405, _NOT_ALLOWED)
        elif request.path == b"/health":
            self._answer(request, 200, b'{"status":"healthy"}')
        elif request.path in (b"/reset", b"/step"):
            self._environment(request)
        else:
            self._answer(request, 404, b'{"detail":"Not Found"}')
        return True

    def _environment(self, request: http.Request) -> None:
        house = self._house
        if request.method == b"POST":
            wait_s = said.wait_of_body(request.body) if request.path == b"/step" else 0.0
        elif request.method == b"GET" and request.path == b"/step":
            wait_s = said.wait_of_query(request.query)
        else:
            self._answer(request, 405, _NOT_ALLOWED)
            return
        if wait_s is None:
            self._answer(request, 422, b'{"detail":"wait_seconds is missing or wrong"}')
        elif house.refusals.next():
            house.tally.add("answered_503")
            self._answer(request, 503, b'{"detail":"refused as planned"}')
        else:
            session = said.Session(house.host_url, house.pid)  # each request has its own, as with openenv-core
            if request.path == b"/reset":
                self._answer(request, 200, session.observed(0.0))
                return
            waited = wait_s
            session.steps = 1
            self._step(wait_s, lambda: self._answer(request, 200, session.observed(waited)))

    def _answer(self, request: http.Request, status: int, body: bytes) -> None:
        data = http.response(status, body, keep_alive=request.keep_alive)
        if request.keep_alive:
            self._transport.write(data)
        else:
            self._end(data)

    # WebSocket

    def _open(self, request: http.Request) -> None:
        house = self._house
        if not request.wants_websocket:
            self._end(http.response(400, b'{"detail":"a WebSocket is asked for here"}', keep_alive=False))
            return
        if house.refusals.next():
            house.tally.add("answered_503")
            self._end(http.response(503, b'{"detail":"refused as planned"}', keep_alive=False))
            return
        self._transport.write(http.switching(frames.accept_key(request.headers[b"sec-websocket-key"])))
        if house.sessions >= house.capacity:
            house.tally.add("sessions_refused")
            told = said.at_capacity(house.sessions, house.capacity)
            self._end(frames.frame(frames.TEXT, told) + frames.close_frame(frames.NORMAL))
            return
        house.sessions += 1
        self._session = said.Session(house.host_url, house.pid)
        house.tally.session(1)

    def _take_frame(self) -> bool:
        if (frame := frames.take(self._data)) is None:
            return False
        if frame.opcode == frames.PING:
            self._transport.write(frames.frame(frames.PONG, frame.payload))
        elif frame.opcode == frames.CLOSE:
            self._end(frames.frame(frames.CLOSE, frame.payload[:2]))
        elif frame.opcode in (0, frames.TEXT):
            self._part(frame)
        elif frame.opcode != frames.PONG:
            raise frames.FrameError(frames.PROTOCOL_ERROR)
        return True

    def _part(self, frame: frames.Frame) -> None:
        first = frame.opcode != 0
        if first == (self._fragments is not None):  # a second first one, or a later one without a first
            raise frames.FrameError(frames.PROTOCOL_ERROR)
        whole = (self._fragments or b"") + frame.payload
        if len(whole) > frames.LONGEST:
            raise frames.FrameError(frames.TOO_BIG)
        self._fragments = None if frame.final else whole
        if frame.final:
            self._queue(whole)

    def _queue(self, text: bytes) -> None:
        # A session does one thing at a time; what comes meanwhile waits, as with openenv-core.
        if self._timer is None:
            self._message(text)
        else:
            self._queued.append(text)

    def _message(self, text: bytes) -> None:
        session = self._session
        assert session is not None
        document = said.parsed(text)
        if not isinstance(document, dict):
            self._say(said.error("Invalid JSON", "INVALID_JSON"))
            return
        kind = document.get("type")
        known = _FIELDS.get(kind) if isinstance(kind, str) else None
        if known is None:
            self._say(said.error(f"Unknown message type: {kind}", "UNKNOWN_TYPE"))
        elif set(document) - known or not isinstance(document.get("data", {}), dict):
            self._say(said.error(*_INVALID, errors=[]))
        elif kind == "step":
            self._step_of(session, document.get("data"))
        elif kind == "reset":
            session.steps = 0
            self._say(said.message(b"observation", session.observed(0.0)))
        elif kind == "state":
            self._say(said.message(b"state", json.dumps({"episode_id": None, "step_count": session.steps}).encode()))
        else:
            self._end(frames.close_frame(frames.NORMAL))

    def _step_of(self, session: said.Session, action: object) -> None:
        wait_s = said.wait_of(action)
        if wait_s is None:
            self._say(said.error(*_INVALID, errors=[]))
            return
        waited = wait_s

        def answer() -> None:
            session.steps += 1
            self._say(said.message(b"observation", session.observed(waited)))

        self._step(wait_s, answer)

    def _say(self, text: bytes) -> None:
        self._transport.write(frames.frame(frames.TEXT, text))

    # Steps

    def _step(self, wait_s: float, answer: Callable[[], None]) -> None:
        house = self._house
        house.tally.step(1)
        if house.delays.next():
            house.tally.add("steps_delayed")
            wait_s += house.delay_s
        due = house.loop.time() + wait_s
        self._timer = house.loop.call_at(due, self._done, due, answer)

    def _done(self, due: float, answer: Callable[[], None]) -> None:
        self._timer = None
        tally = self._house.tally
        tally.step(-1)
        late_us = round((self._house.loop.time() - due) * 1e6)
        tally.add("step_late_sum_us", late_us)
        tally.at_least("step_late_max_us", late_us)
        answer()
        while self._queued and self._timer is None and not self._over:
            self._message(self._queued.popleft())
        self._go_on()
