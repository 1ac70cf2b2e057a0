"""One watch for each kind of objects: a list once, and from then on only what changes, however often the connection is lost."""

from __future__ import annotations

import threading
import time
from typing import Any

from perfdb.families.schedulers.child.kubernetes.made import Kind
from perfdb.families.schedulers.child.kubernetes.server import Away, Busy, Refused, Server

Json = dict[str, Any]
# The server ends a watch after so long; one whose connection died unnoticed is begun again somewhat later.
WATCH_S = 60.0
_FIRST_S, _LONGEST_S = 0.1, 5.0
_GONE = 410


class Watched:
    """The objects of a kind that a selector fits, by their names, as the server last told.

    Attributes:
        changed: Notified whenever one changes.
        deleted: The names of those that were there, and are gone.
        relists: How often all of them were listed: once, and again where the server had forgotten what we last saw.
    """

    def __init__(self, server: Server, kind: Kind, namespace: str, selector: str, changed: threading.Condition) -> None:
        self._server, self._path, self._selector = server, kind.path(namespace), selector
        self.changed = changed
        self._objects: dict[str, Json] = {}
        self.deleted: set[str] = set()
        self.relists = 0
        self._version: str | None = None
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"watch {kind.plural}")

    def start(self) -> None:
        """Begin to watch, in a thread that ends with the process."""
        self._thread.start()

    def stop(self) -> None:
        """Ask for no more; the connection that is open is left to end by itself."""
        self._is_stopped.set()

    def now(self) -> dict[str, Json]:
        """A copy of what there is."""
        with self.changed:
            return dict(self._objects)

    def _run(self) -> None:
        pause_s = _FIRST_S
        while not self._is_stopped.is_set():
            begun, wait_s = time.monotonic(), 0.0
            try:
                if self._version is None:
                    self._list()
                self._follow()
            except Refused as refused:
                if refused.status == _GONE:
                    self._version = None
            except Busy as busy:
                wait_s = busy.after_s
            except Away:
                pass
            # A watch that the server ends after its time is begun again at once; one that fails at once, later and later.
            pause_s = _FIRST_S if time.monotonic() - begun > 1.0 else min(_LONGEST_S, pause_s * 2)
            self._is_stopped.wait(max(wait_s, pause_s))

    def _list(self) -> None:
        items, version = self._server.list(self._path, self._selector)
        self.relists += 1
        found = {one["metadata"]["name"]: one for one in items}
        with self.changed:
            self.deleted |= self._objects.keys() - found.keys()
            self._objects = found
            self._version = version
            self.changed.notify_all()

    def _follow(self) -> None:
        assert self._version is not None
        for event in self._server.watch(self._path, self._version, self._selector, WATCH_S):
            one = event.get("object") or {}
            if event.get("type") == "ERROR":
                raise Refused(int(one.get("code") or 0), str(one.get("reason") or ""), str(one.get("message") or ""))
            metadata = one.get("metadata") or {}
            self._version = str(metadata.get("resourceVersion") or self._version)
            if event.get("type") in ("ADDED", "MODIFIED", "DELETED"):
                self._take(str(metadata.get("name")), one, event["type"] == "DELETED")
            if self._is_stopped.is_set():
                return

    def _take(self, name: str, one: Json, is_deleted: bool) -> None:
        with self.changed:
            if is_deleted:
                # Kept as it was last: a pod that is deleted once it was over still tells when that was.
                self.deleted.add(name)
            self._objects[name] = one
            self.changed.notify_all()
