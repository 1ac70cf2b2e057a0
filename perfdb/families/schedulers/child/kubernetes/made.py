"""What a run made in a cluster: made so that its owner is known, and deleted so that nobody else's is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from perfdb.families.schedulers.child.kubernetes import names
from perfdb.families.schedulers.child.kubernetes.server import Away, Refused, Server, Unfit

Json = dict[str, Any]
_FIRST_S, _LONGEST_S = 0.1, 2.0


@dataclass(frozen=True)
class Kind:
    """One kind of objects, as an API server knows it."""

    api: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        """Where such an object is, or all of them."""
        root = f"/apis/{self.api}" if "/" in self.api else f"/api/{self.api}"
        inside = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}{inside}/{self.plural}" + (f"/{name}" if name else "")


POD = Kind("v1", "pods", True)
JOB = Kind("batch/v1", "jobs", True)
DAEMON_SET = Kind("apps/v1", "daemonsets", True)
NAMESPACE = Kind("v1", "namespaces", False)
# Pods last: those of a Job go with it.
ALWAYS = (JOB, DAEMON_SET)
# What only people make, and a cluster does not by itself: a namespace that has such a thing is not ours alone.
_PEOPLES = (
    POD,
    JOB,
    Kind("v1", "configmaps", True),
    Kind("v1", "secrets", True),
    Kind("v1", "services", True),
    Kind("v1", "persistentvolumeclaims", True),
    Kind("apps/v1", "deployments", True),
    Kind("apps/v1", "statefulsets", True),
    DAEMON_SET,
)
# Config maps that Kubernetes, Istio and OpenShift put into every namespace.
_OF_THE_CLUSTER = frozenset({"kube-root-ca.crt", "istio-ca-root-cert", "openshift-service-ca.crt"})


class Made:
    """The objects of one run.

    Attributes:
        run: Its number. namespace: where its objects are; owns_namespace: whether that is an object of it, too.
        kinds: Those that it has besides Jobs and pods, in the order in which they are made.
    """

    def __init__(
        self, server: Server, run: str, namespace: str, owns_namespace: bool, kinds: Iterable[Kind] = ()
    ) -> None:
        self._server = server
        self.run, self.namespace, self.owns_namespace = run, namespace, owns_namespace
        self.kinds = tuple(dict.fromkeys((*kinds, *ALWAYS)))
        self._uids: dict[tuple[Kind, str], str] = {}

    def create(self, kind: Kind, body: Json) -> Json:
        """Make it; if a request before this one made it and only the answer was lost, that is it.

        Raises:
            Refused: the server will not have it, or the name is somebody else's.
            Away: the server is away.
        """
        name = body["metadata"]["name"]
        try:
            found = self._server.create(kind.path(self.namespace), body)
        except Refused as refused:
            if refused.reason != "AlreadyExists":
                raise
            found = self._server.get(kind.path(self.namespace, name))
            theirs, ours = found.get("metadata", {}), body["metadata"]
            if any(theirs.get(key, {}).get(sign) != ours[key][sign] for key, sign in _SIGNS):
                raise
        if uid := str(found["metadata"].get("uid", "")):
            self._uids[kind, name] = uid
        return found

    def delete_all(self, patience_s: float) -> str:
        """Delete everything of the run, and see that it is gone; returns what is left after so long, '' for nothing."""
        deadline = time.monotonic() + patience_s
        pause_s, left = _FIRST_S, ""
        # A request that was on its way while we looked may get through.
        was_empty = False
        while True:
            try:
                left = self._delete()
                if not left and was_empty:
                    return ""
                was_empty = not left
            except _Shared as shared:
                return str(shared)
            except (Away, Refused) as error:
                left = f"the objects labelled {names.LABEL}={self.run} (the server said: {error})"
            if time.monotonic() > deadline:
                return left
            time.sleep(min(pause_s, max(0.0, deadline - time.monotonic())))
            pause_s = min(_LONGEST_S, pause_s * 1.5)

    def delete(self, kind: Kind, name: str) -> None:
        """Delete one of them, which may be gone."""
        uid = self._uids.get((kind, name))
        if uid is not None:
            self._delete_one(kind, name, uid)

    def _delete(self) -> str:
        left: list[str] = []
        for kind in (*self.kinds, POD):
            for one in self._listed(kind):
                metadata = one["metadata"]
                left.append(f"{kind.plural} {metadata['name']}")
                if not metadata.get("deletionTimestamp"):
                    self._delete_one(kind, metadata["name"], metadata["uid"])
        if not left and self.owns_namespace:
            return self._delete_namespace()
        return ", ".join(left[:10]) + (f" and {len(left) - 10} more" if len(left) > 10 else "")

    def _listed(self, kind: Kind) -> list[Json]:
        try:
            found, _ = self._server.list(kind.path(self.namespace), f"{names.LABEL}={self.run}")
        except Refused as refused:
            if refused.status == 404:
                return []  # the namespace is gone, or the kind is not known here
            raise
        return [one for one in found if self._is_ours(kind, one)]

    def _is_ours(self, kind: Kind, one: Json) -> bool:
        """By its label, its name, and where we know that its uid."""
        metadata = one.get("metadata") or {}
        name, uid = str(metadata.get("name", "")), str(metadata.get("uid", ""))
        begins = names.prefix(self.run)
        has_name = name == begins or name.startswith(f"{begins}-")
        labelled = (metadata.get("labels") or {}).get(names.LABEL) == self.run
        return has_name and labelled and self._uids.get((kind, name), uid) == uid

    def _delete_one(self, kind: Kind, name: str, uid: str) -> None:
        try:
            self._server.delete(kind.path(self.namespace, name), uid, propagationPolicy="Background")
        except Refused as refused:
            # Gone meanwhile; or another one has the name by now, which is not ours.
            if refused.status not in (404, 409):
                raise

    def _delete_namespace(self) -> str:
        path = NAMESPACE.path("", self.namespace)
        try:
            found = self._server.get(path)
        except Refused as refused:
            if refused.status == 404:
                return ""
            raise
        if not self._is_ours(NAMESPACE, found):
            return ""
        if not found["metadata"].get("deletionTimestamp"):
            if foreign := self._foreign():
                raise _Shared(
                    f"the namespace {self.namespace}, which has objects that this run did not make: {foreign}"
                )
            self._delete_one(NAMESPACE, self.namespace, found["metadata"]["uid"])
        return f"the namespace {self.namespace}"

    def _foreign(self) -> str:
        """What others put into our namespace: it would go with it."""
        for kind in _PEOPLES:
            try:
                found, _ = self._server.list(kind.path(self.namespace))
            except Refused:
                continue
            for one in found:
                metadata = one.get("metadata") or {}
                # What belongs to an object goes after it, in a while.
                if metadata.get("name") not in _OF_THE_CLUSTER and not metadata.get("ownerReferences"):
                    return f"{kind.plural} {metadata.get('name')}"
        return ""


class _Shared(Exception):
    """Somebody else uses what is ours to delete."""


_SIGNS = (("labels", names.LABEL), ("annotations", names.PROCESS))


def kinds_text(kinds: Iterable[Kind]) -> str:
    """For an annotation, and for the guard."""
    return json.dumps([asdict(kind) for kind in kinds], separators=(",", ":"))


def kinds_of(text: str) -> tuple[Kind, ...]:
    """The other way round; nothing where that is no such text."""
    try:
        return tuple(Kind(**one) for one in json.loads(text))
    except (ValueError, TypeError):
        return ()


def kind_of(server: Server, api: str, kind: str) -> Kind:
    """How the server knows objects of that kind.

    Raises:
        Unfit: it does not.
    """
    root = f"/apis/{api}" if "/" in api else f"/api/{api}"
    try:
        resources = server.get(root).get("resources") or []
    except Refused as refused:
        if refused.status != 404:
            raise
        resources = []
    for one in resources:
        if one.get("kind") == kind and "/" not in one.get("name", "/"):
            return Kind(api, one["name"], bool(one.get("namespaced")))
    raise Unfit(
        f"the cluster knows no {kind} of {api}: install what the arm needs (deploy/kubernetes/schedulers/README.md), or take another arm"
    )


def end_orphans(server: Server, namespace: str, kinds: Iterable[Kind], patience_s: float) -> str:
    """Delete what earlier runs of this host left behind when they were killed; returns what could not be, '' for nothing."""
    found: dict[str, Made] = {}
    kinds = (*kinds, *ALWAYS)
    for one in _labelled(server, NAMESPACE, ""):
        if run := _orphan(one):
            annotations = one["metadata"].get("annotations") or {}
            found[run] = Made(server, run, names.prefix(run), True, kinds_of(annotations.get(names.KINDS, "")))
    for kind in kinds if namespace else [kind for kind in kinds if not kind.namespaced]:
        for one in _labelled(server, kind, namespace):
            run = _orphan(one)
            if run and run not in found:
                found[run] = Made(server, run, namespace or names.prefix(run), False, kinds)
    left = [left for one in found.values() if (left := one.delete_all(patience_s))]
    return "; ".join(left)


def _labelled(server: Server, kind: Kind, namespace: str) -> list[Json]:
    try:
        return server.list(kind.path(namespace), names.LABEL)[0]
    except Refused:
        return []  # who may not list them made none


def _orphan(one: Json) -> str:
    metadata = one.get("metadata") or {}
    run = str((metadata.get("labels") or {}).get(names.LABEL, ""))
    begins = names.prefix(run)
    name = str(metadata.get("name", ""))
    is_named = names.is_run(run) and (name == begins or name.startswith(f"{begins}-"))
    return run if is_named and names.is_orphan(str((metadata.get("annotations") or {}).get(names.PROCESS, ""))) else ""
