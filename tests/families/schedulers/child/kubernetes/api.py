"""A stand-in for a Kubernetes API server: kmock over real HTTP on loopback, with what it lacks.

No control plane can be had where the tests run. kmock gives the server, the paths, discovery, errors and faults on order; it has
no uids, versions, label selectors, conditions of a delete, or watches that go on from a version, and knows no namespaces.
Those are here. What a real cluster's controllers and nodes do is in `kubelet.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp.web
import kmock
import yaml

Json = dict[str, Any]
Key = tuple[str, str, str]
PODS, JOBS, DAEMON_SETS, NAMESPACES = "v1/pods", "batch/v1/jobs", "apps/v1/daemonsets", "v1/namespaces"
NODES, EVENTS, ACCOUNTS = "v1/nodes", "v1/events", "v1/serviceaccounts"
GROUPS, MINICLUSTERS = "scheduling.x-k8s.io/v1alpha1/podgroups", "flux-framework.org/v1alpha2/miniclusters"
QUEUES, LOCAL_QUEUES = "kueue.x-k8s.io/v1beta1/clusterqueues", "kueue.x-k8s.io/v1beta1/localqueues"
WEBHOOKS = "admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
KINDS = {
    PODS: ("Pod", True),
    JOBS: ("Job", True),
    DAEMON_SETS: ("DaemonSet", True),
    NODES: ("Node", False),
    ACCOUNTS: ("ServiceAccount", True),
    "v1/configmaps": ("ConfigMap", True),
    "v1/secrets": ("Secret", True),
    "v1/services": ("Service", True),
    "v1/persistentvolumeclaims": ("PersistentVolumeClaim", True),
    "apps/v1/deployments": ("Deployment", True),
    "apps/v1/statefulsets": ("StatefulSet", True),
    GROUPS: ("PodGroup", True),
    MINICLUSTERS: ("MiniCluster", True),
    QUEUES: ("ClusterQueue", False),
    LOCAL_QUEUES: ("LocalQueue", True),
    "kueue.x-k8s.io/v1beta1/resourceflavors": ("ResourceFlavor", False),
    WEBHOOKS: ("MutatingWebhookConfiguration", False),
}


class Api(kmock.KubernetesScaffold):
    """The server's objects. All but `wait_for` and what says so is called in the loop's thread."""

    def set_up(self, ahead_s: float = 0.0) -> None:
        """Empty, with a clock that is so many seconds ahead of this host's."""
        self.objects: dict[Key, Json] = {}
        self.history: list[tuple[int, str, Key, Json]] = []
        self.version = self.forgotten = 0
        self.ahead_s = ahead_s
        self.changed = asyncio.Condition()
        self.watches: dict[int, Any] = {}
        self.seen: list[tuple[str, str]] = []
        self.logs: dict[tuple[str, str], str] = {}
        for path, (kind, namespaced) in KINDS.items():
            self.resources[path] = kmock.ResourceInfo(kind=kind, namespaced=namespaced, verbs={"list"})
        self.fallback["list"] << self._list
        self.fallback["watch"] << self._watch
        self.fallback["fetch"] << self._fetch
        self.fallback["create"] << self._create
        self.fallback["delete"] << self._delete

    async def __call__(self, raw: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        self.seen.append((raw.method, raw.path))
        answer = await (
            self._namespaces(raw)
            if raw.path.startswith("/api/v1/namespaces") and _depth(raw) <= 4
            else super().__call__(raw)
        )
        if not answer.prepared:
            answer.headers["Date"] = formatdate(time.time() + self.ahead_s, usegmt=True)
        return answer

    # What controllers do, in the loop's thread.

    def stamp(self) -> str:
        """Now, as the server writes it: in whole seconds of its clock."""
        return datetime.fromtimestamp(int(time.time() + self.ahead_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def put(self, key: Key, body: Json) -> Json:
        """Make it."""
        metadata = body.setdefault("metadata", {})
        metadata |= {"name": key[2], "uid": str(uuid.uuid4()), "creationTimestamp": self.stamp()}
        if key[1]:
            metadata["namespace"] = key[1]
        await self._tell("ADDED", key, body)
        if key[0] == NAMESPACES:
            await self.put((ACCOUNTS, key[2], "default"), {})
        return self.objects[key]

    async def change(self, key: Key, alter: Callable[[Json], None]) -> None:
        """Alter it, if it is still there."""
        if key in self.objects:
            body = json.loads(json.dumps(self.objects[key]))
            alter(body)
            await self._tell("MODIFIED", key, body)

    async def remove(self, key: Key) -> None:
        """It is gone, and what belongs to it goes as well."""
        if key not in self.objects:
            return
        body = self.objects[key]
        await self._tell("DELETED", key, body)
        uid = body["metadata"]["uid"]
        for other, one in list(self.objects.items()):
            owners = one["metadata"].get("ownerReferences", [])
            if any(owner["uid"] == uid for owner in owners) or (key[0] == NAMESPACES and other[1] == key[2]):
                await self.remove(other)

    def of(self, kind: str) -> dict[Key, Json]:
        """All objects of a kind."""
        return {key: one for key, one in self.objects.items() if key[0] == kind}

    def drop(self) -> None:
        """Cut every watch off, in the middle of whatever it says."""
        for request in list(self.watches.values()):
            if request.transport is not None:
                request.transport.abort()

    def forget(self) -> None:
        """No version up to now is known any more."""
        self.forgotten = self.version
        self.history.clear()

    async def _tell(self, what: str, key: Key, body: Json) -> None:
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        body.setdefault("apiVersion", key[0].rpartition("/")[0])
        if what == "DELETED":
            self.objects.pop(key, None)
        else:
            self.objects[key] = body
        self.history.append((self.version, what, key, body))
        async with self.changed:
            self.changed.notify_all()

    # What clients ask.

    async def _namespaces(self, raw: aiohttp.web.BaseRequest) -> aiohttp.web.StreamResponse:
        """kmock takes these paths for parts of others."""
        name = raw.path.removeprefix("/api/v1/namespaces").strip("/")
        key = (NAMESPACES, "", name)
        if raw.method == "POST":
            body = await raw.json()
            key = (NAMESPACES, "", body["metadata"]["name"])
            if key in self.objects:
                return _refusal(409, "AlreadyExists")
            return aiohttp.web.json_response(await self.put(key, body), status=201)
        if not name:
            chosen = [one for one in self.of(NAMESPACES).values() if _fits(one, raw.query.get("labelSelector", ""))]
            return aiohttp.web.json_response({"metadata": {"resourceVersion": str(self.version)}, "items": chosen})
        if key not in self.objects:
            return _refusal(404, "NotFound")
        if raw.method == "DELETE":
            wanted = (await raw.json()).get("preconditions", {}).get("uid")
            if wanted not in (None, self.objects[key]["metadata"]["uid"]):
                return _refusal(409, "Conflict")
            await self.remove(key)
            return aiohttp.web.json_response({"kind": "Status", "status": "Success"})
        return aiohttp.web.json_response(self.objects[key])

    def _list(self, request: kmock.Request) -> Json:
        self._known(request)
        return {"metadata": {"resourceVersion": str(self.version)}, "items": self._chosen(request)}

    async def _watch(self, request: kmock.Request) -> AsyncIterator[Any]:
        self._known(request)
        since = int(request.params.get("resourceVersion") or 0)
        if since < self.forgotten:
            raise kmock.KubernetesError(status=410, reason="Expired", message="too old resource version")
        ends = time.monotonic() + float(request.params.get("timeoutSeconds") or 3600)
        kind, namespace = _kind(request), request.namespace or ""
        self.watches[id(request)] = request._raw_request
        try:
            yield b""
            while (left := ends - time.monotonic()) > 0:
                for version, what, key, one in list(self.history):
                    if (
                        version > since
                        and key[0] == kind
                        and namespace in ("", key[1])
                        and _fits(one, request.params.get("labelSelector", ""))
                    ):
                        yield {"type": what, "object": one}
                since = max(since, self.version)
                async with self.changed:
                    if self.version == since:
                        try:
                            await asyncio.wait_for(self.changed.wait(), min(left, 1.0))
                        except TimeoutError:
                            yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(since)}}}
        finally:
            self.watches.pop(id(request), None)

    def _fetch(self, request: kmock.Request) -> Any:
        key = (_kind(request), request.namespace or "", request.name or "")
        if key not in self.objects:
            raise kmock.KubernetesObjectNotFoundError(reason="NotFound")
        return self.logs.get(key[1:], "").encode() if request.subresource == "log" else self.objects[key]

    async def _create(self, request: kmock.Request) -> Json:
        self._known(request)
        key = (_kind(request), request.namespace or "", request.data["metadata"]["name"])
        if key[1] and (NAMESPACES, "", key[1]) not in self.objects:
            raise kmock.KubernetesObjectNotFoundError(reason="NotFound")
        if key in self.objects:
            raise kmock.KubernetesError(status=409, reason="AlreadyExists", message=f"{key[2]} already exists")
        return await self.put(key, request.data)

    async def _delete(self, request: kmock.Request) -> Json:
        key = (_kind(request), request.namespace or "", request.name or "")
        if key not in self.objects:
            raise kmock.KubernetesObjectNotFoundError(reason="NotFound")
        wanted = ((request.data or {}).get("preconditions") or {}).get("uid")
        if wanted not in (None, self.objects[key]["metadata"]["uid"]):
            raise kmock.KubernetesError(status=409, reason="Conflict", message="the uid is another one")
        await self.remove(key)
        return {"kind": "Status", "status": "Success"}

    def _known(self, request: kmock.Request) -> None:
        if _kind(request) not in KINDS:
            raise kmock.KubernetesResourceNotFoundError()

    def _chosen(self, request: kmock.Request) -> list[Json]:
        selector, namespace = request.params.get("labelSelector", ""), request.namespace or ""
        return [
            one for key, one in self.of(_kind(request)).items() if namespace in ("", key[1]) and _fits(one, selector)
        ]


class Cluster:
    """The server and what lives behind it, in a thread of their own.

    Args:
        folder: For the file that KUBECONFIG names.
        live: What the cluster's controllers and nodes do, for ever; see `kubelet.py`.
        ahead_s: By how much its clock is ahead of this host's.
    """

    def __init__(self, folder: Path, live: Callable[[Api], Any], ahead_s: float = 0.0) -> None:
        self._live, self._ahead_s = live, ahead_s
        self.config = folder / "kubeconfig"
        self._is_up, self._is_over = threading.Event(), asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live_through, daemon=True)
        self._trouble: Exception | None = None
        self._server: kmock.Server | None = None
        self.api: Api

    def __enter__(self) -> Cluster:
        self._thread.start()
        assert self._is_up.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._is_over.set)
        self._thread.join(30)
        assert not self._thread.is_alive()
        if self._trouble is not None:
            raise self._trouble

    def do(self, coroutine: Any) -> Any:
        """Have that done in the cluster's thread, and return what comes of it; from any other thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def call(self, function: Callable[[], Any]) -> Any:
        """The same of a plain function."""

        async def done() -> Any:
            return function()

        return self.do(done())

    def wait_for(self, is_so: Callable[[Api], Any], patience_s: float = 60.0) -> Any:
        """Until that is so; returns what it returned."""
        deadline = time.monotonic() + patience_s
        while not (found := self.call(lambda: is_so(self.api))):
            assert time.monotonic() < deadline, "it never came to it"
            time.sleep(0.02)
        return found

    async def restart(self, down_s: float) -> None:
        """The server is away for so long; what it keeps stays."""
        await self.stop()
        await asyncio.sleep(down_s)
        await self.start()

    async def stop(self) -> None:
        """The server goes away."""
        assert self._server is not None
        self.api.drop()
        self._port = self._server.port
        await self._server.__aexit__(None, None, None)

    async def start(self) -> None:
        """It is back, where it was."""
        self._server = kmock.Server(self.api, port=self._port)
        await self._server.__aenter__()

    def _live_through(self) -> None:
        try:
            self._loop.run_until_complete(self._run())
        except Exception as error:  # noqa: BLE001 (raised again in the test's thread)
            self._trouble = error

    async def _run(self) -> None:
        async with Api() as api:
            self.api = api
            api.set_up(self._ahead_s)
            self._server = await kmock.Server(api).__aenter__()
            self.config.write_text(yaml.safe_dump(_kubeconfig(f"http://127.0.0.1:{self._server.port}")))
            living = asyncio.create_task(self._live(api))
            self._is_up.set()
            await self._is_over.wait()
            living.cancel()
            api.drop()
            await self._server.__aexit__(None, None, None)
            # What went wrong in the script is the test's to hear of.
            with contextlib.suppress(asyncio.CancelledError):
                await living


def _kubeconfig(url: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "stand-in",
        "clusters": [{"name": "stand-in", "cluster": {"server": url}}],
        "contexts": [{"name": "stand-in", "context": {"cluster": "stand-in", "user": "nobody"}}],
        "users": [{"name": "nobody", "user": {}}],
    }


def _kind(request: kmock.Request) -> str:
    resource = request.resource
    assert resource is not None
    return "/".join(part for part in (resource.group, resource.version, resource.plural) if part)


def _fits(one: Json, selector: str) -> bool:
    labels = one["metadata"].get("labels", {})
    wanted = [part.partition("=") for part in selector.split(",") if part]
    return all(key in labels and (not sign or labels[key] == value) for key, sign, value in wanted)


def _depth(raw: aiohttp.web.BaseRequest) -> int:
    return len(raw.path.strip("/").split("/"))


def _refusal(status: int, reason: str) -> aiohttp.web.Response:
    return aiohttp.web.json_response(
        {"kind": "Status", "code": status, "reason": reason, "message": reason}, status=status
    )
