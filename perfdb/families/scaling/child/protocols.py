"""What a session says. Another protocol is one class with `talk`, and its name in PROTOCOLS.

`talk` is a generator: it yields `(phase, bytes to send, reader)` and gets what the reader made of the answer. A reader is
called with the bytes that arrived and whether more can come, takes from them what it understood, and returns None until it
has an answer. A phase lasts from its first bytes to the answer to its last; before the first there is `connect`, which a
`talk` may go on with. What the answers say of themselves goes into `seen`. The session succeeded once its last `step` was
answered; a `close` is timed apart. Whatever goes wrong is a `Fault`.
"""

import json
import math
from urllib.parse import urlsplit

import faults
import over_http
import over_websocket

LESS_THAN_ASKED = 1e-3
# Nobody has more patience than a day.
LONGEST_WAIT_S = 86_400.0
LONGEST_NAME = 200


class Target:
    """Where the service is."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.host = parts.hostname
        self.port = parts.port or 80
        self.authority = parts.netloc.rpartition("@")[2]
        self.path = parts.path.rstrip("/")
        self.resource = (parts.path or "/") + ("?" + parts.query if parts.query else "")


class Seen:
    """What a service told of the session: `waited_s`, `pid`, `session`, `host`; None as long as it did not."""

    __slots__ = ("host", "pid", "session", "waited_s")

    def __init__(self):
        self.waited_s = self.pid = self.session = self.host = None

    def take(self, observation, wait_s):
        """Note what the answer to a step says, once it is what was asked for."""
        try:
            waited = float(observation["waited_seconds"])
            pid, session, host = int(observation["pid"]), str(observation["session_hash"]), str(observation["host_url"])
        except (KeyError, TypeError, ValueError, OverflowError):
            raise faults.Fault(
                faults.WRONG, "a step's answer without waited_seconds, pid, session_hash, host_url"
            ) from None
        if not (math.isfinite(waited) and wait_s * (1 - LESS_THAN_ASKED) <= waited <= LONGEST_WAIT_S):
            raise faults.Fault(faults.WRONG, f"waited {waited:g} s where {wait_s:g} were asked for")
        if not 0 <= pid < 2**53:
            raise faults.Fault(faults.WRONG, "an impossible pid")
        self.waited_s, self.pid, self.session, self.host = waited, pid, session[:LONGEST_NAME], host[:LONGEST_NAME]


class OpenEnvWebSocket:
    """OpenEnv's sessions: reset, step and close as messages over one WebSocket."""

    waits = True

    def __init__(self, target, wait_s):
        self._target = target
        self._path = target.path + "/ws"
        self._wait_s = wait_s
        self._reset = json.dumps({"type": "reset", "data": {}}).encode("ascii")
        self._step = json.dumps({"type": "step", "data": {"wait_seconds": wait_s}}).encode("ascii")
        self._close = json.dumps({"type": "close"}).encode("ascii")

    def talk(self, seen, send):
        """See above."""
        request, expected = over_websocket.handshake(self._target, self._path)
        over_websocket.accept((yield "connect", request, over_websocket.read_handshake), expected)
        read = over_websocket.Reader(send)
        _observation((yield "reset", over_websocket.frame(self._reset), read))
        answer = yield "step", over_websocket.frame(self._step), read
        seen.take(_observation(answer), self._wait_s)
        yield "close", over_websocket.frame(self._close) + over_websocket.close_frame(), _until_closed(read)


class OpenEnvHttp:
    """The same over HTTP: POST /reset, POST /step on one connection."""

    waits = True

    def __init__(self, target, wait_s):
        self._wait_s = wait_s
        self._reset = over_http.request("POST", target, target.path + "/reset", {})
        self._step = over_http.request("POST", target, target.path + "/step", {"action": {"wait_seconds": wait_s}})

    def talk(self, seen, send):  # noqa: ARG002 (protocols are called alike)
        """See above."""
        _document((yield "reset", self._reset, over_http.Reader()))
        document = _document((yield "step", self._step, over_http.Reader()))
        seen.take(document.get("observation"), self._wait_s)


class PlainGet:
    """GET of the URL as it stands; its one phase is `step`."""

    waits = False

    def __init__(self, target, wait_s):  # noqa: ARG002 (protocols are called alike)
        self._get = over_http.request("GET", target, target.resource)

    def talk(self, seen, send):  # noqa: ARG002 (protocols are called alike)
        """See above."""
        status, body = yield "step", self._get, over_http.Reader()
        if not 200 <= status < 300:
            raise faults.of_status(status, body)


PROTOCOLS = {"ws": OpenEnvWebSocket, "http": OpenEnvHttp, "get": PlainGet}


def _observation(message):
    if isinstance(message, over_websocket.Closed):
        raise over_websocket.closed(message)
    document = _json(message)
    data = document.get("data")
    if document.get("type") == "error":
        said = json.dumps(data)
        raise faults.Fault(
            faults.CAPACITY if "capacity" in said.lower() else faults.WRONG, "error " + faults.theirs(said)
        )
    if not isinstance(data, dict) or not isinstance(data.get("observation"), dict):
        raise faults.Fault(faults.WRONG, "a message without an observation")
    return data["observation"]


def _document(answer):
    status, body = answer
    if not 200 <= status < 300:
        raise faults.of_status(status, body)
    return _json(body)


def _json(data):
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise faults.Fault(faults.WRONG, "an answer that is no JSON object")
    return document


def _until_closed(read):
    """Read on to the other side's close; the end of the stream is one too."""

    def reader(buffer, ended):
        while True:
            message = read(buffer, ended)
            if message is None:
                return ended or None
            if isinstance(message, over_websocket.Closed):
                return True

    return reader
