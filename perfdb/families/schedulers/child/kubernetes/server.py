"""The cluster's API server, through the official client: one request at a time, asked again while it is away, in bounded time."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import urllib3
from kubernetes import client, config

Json = dict[str, Any]
# How long an answer may take; how long a request is repeated while the server is away or busy.
CONNECT_S, ANSWER_S, AWAY_S = 5.0, 30.0, 60.0
_FIRST_S, _LONGEST_S = 0.1, 5.0
_PAGE = 500
_TRY_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


class Refused(Exception):
    """The server said no; `status` is HTTP's, `reason` the server's word such as AlreadyExists."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message or reason or f"HTTP {status}")
        self.status, self.reason = status, reason


class Away(Exception):
    """The server did not answer, or was too busy, for as long as we ask again."""


class Unfit(Exception):
    """The cluster can't be measured; the text says why, and what to do."""


class Server:
    """An API server.

    Attributes:
        host: Where it is. requests: How many requests were made.
    """

    def __init__(self, settings: client.Configuration, away_s: float = AWAY_S) -> None:
        # The connection's own retries know no end: a Retry-After of an hour would be waited for.
        settings.retries = False
        self._client = client.ApiClient(settings)
        self.host = urlsplit(str(settings.host)).hostname or ""
        self._away_s = away_s
        self.requests = 0

    def get(self, path: str, **query: str | int) -> Json:
        """An object, or a list's page."""
        return _object(self._patiently("GET", path, query))

    def text(self, path: str, **query: str | int) -> str:
        """What is no JSON, such as a log."""
        return self._patiently("GET", path, query).decode(errors="replace")

    def list(self, path: str, selector: str = "") -> tuple[list[Json], str]:
        """All objects there that the labels' selector fits, page by page, and the version of the list."""
        items: list[Json] = []
        query: dict[str, str | int] = {"limit": _PAGE, **({"labelSelector": selector} if selector else {})}
        while True:
            page = self.get(path, **query)
            items += page.get("items") or []
            metadata = page.get("metadata") or {}
            if not metadata.get("continue"):
                return items, str(metadata.get("resourceVersion", ""))
            query["continue"] = metadata["continue"]

    def create(self, path: str, body: Json) -> Json:
        """Make it, and return what the server made of it.

        A request whose answer was lost is sent again; that it exists already then is no surprise where it is ours: see
        `made.Made.create`.
        """
        return _object(self._patiently("POST", path, {}, body))

    def delete(self, path: str, uid: str, **options: str | int) -> None:
        """Delete the one of that uid; one of that name which came after it stays."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}, **options}
        self._patiently("DELETE", path, {}, body)

    def watch(self, path: str, version: str, selector: str, timeout_s: float) -> Iterator[Json]:
        """Events from that version on, until the server or the network ends it. Asked once: who watches asks again.

        Raises:
            Refused: the server refused; 410 where it knows that version no more.
            Away: it could not be reached.
        """
        query: dict[str, str | int] = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        query |= {"labelSelector": selector, "timeoutSeconds": max(1, round(timeout_s))}
        with closing(self._once("GET", path, query, None, read_s=timeout_s + ANSWER_S)) as answer:
            try:
                # Lines as they come: `kubernetes.watch` reads the body of an ERROR event from where it has none.
                rest = b""
                for part in answer.stream(amt=None, decode_content=False):
                    *lines, rest = (rest + part).split(b"\n")
                    yield from (json.loads(line) for line in lines if line.strip())
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                raise Away(f"the connection was lost: {type(error).__name__}") from error

    def date(self) -> tuple[str, float, float]:
        """The `Date` header of an answer, and the host's clock before and after the request, in seconds since 1970."""
        before = time.time()
        with closing(self._once("GET", "/version", {}, None)) as answer:
            after = time.time()
            return str(answer.headers.get("Date", "")), before, after

    def _patiently(self, method: str, path: str, query: Mapping[str, str | int], body: Json | None = None) -> bytes:
        deadline = time.monotonic() + self._away_s
        pause_s = _FIRST_S
        while True:
            try:
                with closing(self._once(method, path, query, body)) as answer:
                    data: bytes = answer.data
                    return data
            except Away as error:
                trouble, wait_s = str(error), pause_s
            except Busy as busy:
                trouble, wait_s = str(busy), max(pause_s, busy.after_s)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                trouble, wait_s = type(error).__name__, pause_s
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise Away(f"{method} {path.rpartition('/')[2]}: no answer in {self._away_s:g} s, but {trouble}")
            time.sleep(min(wait_s, left_s))
            pause_s = min(_LONGEST_S, pause_s * 2)

    def _once(
        self, method: str, path: str, query: Mapping[str, str | int], body: Json | None, read_s: float = ANSWER_S
    ) -> urllib3.HTTPResponse:
        self.requests += 1
        try:
            answer: urllib3.HTTPResponse = self._client.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params={"Accept": "application/json", "Content-Type": "application/json"},
                body=body,
                auth_settings=["BearerToken"],
                _return_http_data_only=True,
                _preload_content=False,
                _request_timeout=(CONNECT_S, read_s),
            )
        except client.ApiException as error:
            raise _understood(method, error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Away(f"it can't be reached ({type(error).__name__})") from error
        return answer


class Busy(Exception):
    """The server asks to come back later, after at least so many seconds."""

    def __init__(self, status: int, after_s: float) -> None:
        super().__init__(f"HTTP {status}")
        self.after_s = after_s


def connect(away_s: float = AWAY_S) -> Server:
    """The server that KUBECONFIG names, or ~/.kube/config, or the cluster that we run in.

    Raises:
        Unfit: none of them names a cluster.
    """
    settings = client.Configuration()
    try:
        try:
            # The client looks at KUBECONFIG when it is imported only.
            config.load_kube_config(os.environ.get("KUBECONFIG") or None, client_configuration=settings)
        except config.ConfigException:
            if os.environ.get("KUBECONFIG"):
                raise
            config.load_incluster_config(client_configuration=settings)
    except (config.ConfigException, OSError, ValueError, KeyError, TypeError) as error:
        raise Unfit(
            f"no cluster is named ({str(error)[:200]}): set KUBECONFIG to the file that `kubectl` uses, and try "
            "`kubectl get nodes`"
        ) from error
    return Server(settings, away_s)


def _object(text: bytes) -> Json:
    """An answer as JSON, with `metadata` in it; a proxy may answer anything."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.setdefault("metadata", {}), dict):
        raise Refused(200, "", "the answer is no object: is that a Kubernetes API server?")
    return found


def _understood(method: str, error: client.ApiException) -> Exception:
    status = int(error.status or 0)
    if status == 0:
        return Away(str(error.reason)[:200])
    try:
        body = json.loads(error.body)
        reason, message = str(body.get("reason", "")), str(body.get("message", ""))[:500]
    except (ValueError, TypeError, AttributeError):
        reason, message = str(error.reason or ""), ""
    # A create that meets another writer, at a quota for example, is worth another try; a delete's condition is not.
    conflict = status == 409 and method == "POST" and reason != "AlreadyExists"
    if status in _TRY_AGAIN or conflict:
        return Busy(status, _retry_after_s(error.headers))
    return Refused(status, reason, message)


def _retry_after_s(headers: Mapping[str, str] | None) -> float:
    try:
        return max(0.0, float((headers or {}).get("Retry-After", 0)))
    except ValueError:
        return 0.0
