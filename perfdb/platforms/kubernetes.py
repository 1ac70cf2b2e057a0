"""Kubernetes by kubectl, as far as ending pods goes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from perfdb.platforms.base import Job, Stamp, ask
from perfdb.platforms.parsl_log import jobs_named

_POD = re.compile(r"Pod name: (\S+)")


@dataclass(frozen=True)
class Kubernetes:
    """Pods in any namespace, found by the names that Parsl gave them."""

    name: str = "kubernetes"
    provider_classes: frozenset[str] = frozenset({"KubernetesProvider"})

    def jobs_of(self, run_dir: Path) -> tuple[str, ...]:
        """Pod names, as parsl.log tells them."""
        return jobs_named(run_dir, _POD)

    def times_of(self, job_ids: tuple[str, ...], names: tuple[str, ...] = ()) -> tuple[Job, ...]:  # noqa: ARG002 (ids are names)
        """Creation and start of the pods that are still there."""
        return tuple(_job(pod) for pod in self._pods(job_ids) or ())

    def cancel(self, job_ids: tuple[str, ...], names: tuple[str, ...] = ()) -> tuple[str, ...]:  # noqa: ARG002 (ids are names)
        """Delete the pods that are still there; where that can't be asked, all of them may be."""
        pods = self._pods(job_ids)
        if pods is None:
            return job_ids
        delete = ["kubectl", "delete", "pod", "--wait=false"]
        return tuple(pod.name for pod in pods if ask([*delete, pod.name, "--namespace", pod.namespace])[0] != 0)

    def over(self, job_ids: tuple[str, ...]) -> bool:
        """Whether none of those pods is left."""
        return not self._pods(job_ids)

    def nodes_up(self) -> tuple[str, ...] | None:
        """Kubernetes does not tell which of its nodes were made for whom."""
        return None

    def version(self) -> str | None:
        """The server's."""
        code, text = ask(["kubectl", "version", "--output=json", "--request-timeout=5s"])
        try:
            return str(json.loads(text)["serverVersion"]["gitVersion"]) if code == 0 else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def settings(self, partitions: Sequence[str | None]) -> Mapping[str, str]:  # noqa: ARG002 (a platform's method)
        """Not asked."""
        return {}

    def _pods(self, names: tuple[str, ...]) -> list[_Pod] | None:
        """Those of them that are there, or None where nobody can tell."""
        if not names:
            return []
        code, text = ask(["kubectl", "get", "pods", "--all-namespaces", "--output=json", "--request-timeout=10s"])
        try:
            items = list(json.loads(text)["items"]) if code == 0 else None
        except (ValueError, KeyError, TypeError, RecursionError):
            items = None
        return None if items is None else [pod for pod in map(_pod, items) if pod is not None and pod.name in names]


@dataclass(frozen=True)
class _Pod:
    name: str
    namespace: str
    created_at: datetime | None
    started_at: datetime | None


def _job(pod: _Pod) -> Job:
    def stamp(at: datetime | None, source: str) -> Stamp | None:
        return None if at is None else Stamp(at=at, resolution_s=1.0, source=source)

    pending = stamp(pod.created_at, "pod's creationTimestamp")
    return Job(job_id=pod.name, pending=pending, started=stamp(pod.started_at, "pod's startTime"))


def _pod(item: Any) -> _Pod | None:
    try:
        about = item["metadata"]
        times = _instant(about.get("creationTimestamp")), _instant(item["status"].get("startTime"))
        return _Pod(str(about["name"]), str(about["namespace"]), *times)
    except (KeyError, TypeError, AttributeError):
        return None


def _instant(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else None


KUBERNETES = Kubernetes()
