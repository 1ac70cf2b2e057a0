"""A page that is watched: whatever goes wrong in it while a test looks elsewhere."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, Response

LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
# What Chromium asks its maker by itself, whatever page is open: accounts, autofill, the time. A page that asked for any
# of these would still be seen by its own listener.
CHROMIUMS_OWN = (".google.com", ".googleapis.com", ".gvt1.com")
# Never asked of a network.
INWARD = {"file", "data", "blob", "about"}


@dataclass(frozen=True)
class Allowed:
    """Trouble that a page makes without us: `trouble` must match from its beginning; why it does not count."""

    trouble: str
    why: str


@dataclass
class Watch:
    """What one page did that it should not have."""

    allowed: Sequence[Allowed] = ()
    troubles: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """From now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(f"page error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.on("request", self._asked)
        page.on("dialog", self._dialog)

    def assert_clean(self) -> None:
        """Nothing went wrong so far."""
        assert not self.troubles, "\n".join(self.troubles)

    def _note(self, trouble: str) -> None:
        if not any(re.match(allowed.trouble, trouble) for allowed in self.allowed):
            self.troubles.append(trouble)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"console error: {message.text} ({urlsplit(message.location.get('url', '')).path})")

    def _failed(self, request: Request) -> None:
        # A page that is left drops what it was still asking for. What is missing or refused fails by another name.
        if request.failure != "net::ERR_ABORTED":
            self._note(f"request failed: {request.failure} {request.method} {_where(request.url)}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._note(f"answer {response.status}: {_where(response.url)}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in INWARD and parts.hostname not in LOOPBACK:
            self._note(f"asked the network: {request.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self._note(f"dialog: {dialog.message}")
        dialog.dismiss()


def _where(url: str) -> str:
    return urlsplit(url).path


@dataclass
class Outside:
    """A proxy that lets nobody through: the browser's way to anything that is not this host.

    It sees what the page's own listeners do not: workers, preconnections, and the browser itself.
    """

    port: int
    asked: list[str]


@contextmanager
def nobody_outside() -> Iterator[Outside]:
    """Such a proxy on a free port of loopback, for as long as the block lasts."""
    asked: list[str] = []

    class Refusing(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline(1000).decode(errors="replace").strip()
            target = line.partition(" ")[2].partition(" ")[0]
            host = urlsplit(target if "://" in target else f"//{target}").hostname or ""
            if line and not host.endswith(CHROMIUMS_OWN):
                asked.append(line)
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield Outside(server.server_address[1], asked)
        finally:
            server.shutdown()
            thread.join()
