"""Kubernetes by kubectl, as far as ending pods goes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from perfdb.platforms.base import Job, ask
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

    def times_of(self, job_ids: tuple[str, ...]) -> tuple[Job, ...]:
        """Creation and start of the pods that are still there."""
        return tuple(
            Job(name, _instant(pod["metadata"].get("creationTimestamp")), _instant(pod["status"].get("startTime")))
            for name, pod in self._pods(job_ids).items()
        )

    def cancel(self, job_ids: tuple[str, ...]) -> tuple[str, ...]:
        """Delete the pods that are still there."""
        failed = []
        for name, pod in self._pods(job_ids).items():
            namespace = pod["metadata"]["namespace"]
            if ask(["kubectl", "delete", "pod", name, "--namespace", namespace, "--wait=false"])[0] != 0:
                failed.append(name)
        return tuple(failed)

    def version(self) -> str | None:
        """The server's."""
        code, text = ask(["kubectl", "version", "--output=json", "--request-timeout=5s"])
        try:
            return str(json.loads(text)["serverVersion"]["gitVersion"]) if code == 0 else None
        except (ValueError, KeyError):
            return None

    def _pods(self, names: tuple[str, ...]) -> dict[str, dict[str, dict[str, str]]]:
        if not names:
            return {}
        code, text = ask(["kubectl", "get", "pods", "--all-namespaces", "--output=json", "--request-timeout=10s"])
        try:
            items = json.loads(text)["items"] if code == 0 else []
        except (ValueError, KeyError):
            items = []
        return {pod["metadata"]["name"]: pod for pod in items if pod["metadata"]["name"] in names}


def _instant(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


KUBERNETES = Kubernetes()
