"""Kubernetes: kubectl, the Python client, whether a cluster answers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from perfdb.cli.doctor.here import Here, has
from perfdb.cli.doctor.installing import extra, system_package
from perfdb.cli.doctor.point import Point

NEEDED_FOR = "configs with a KubernetesProvider; perfdb run schedulers on Kubernetes"
_FIX = "kubectl cluster-info says why; kubectl config use-context NAME; or sign in anew"


def look(here: Here) -> Iterator[Point]:
    """The client's library, the program, the cluster."""
    try:
        found = version("kubernetes")
        yield Point("kubernetes client", "ok", f"the Python package {found}", NEEDED_FOR)
    except PackageNotFoundError:
        told = "the Python package is not installed"
        yield Point("kubernetes client", "note", told, NEEDED_FOR, extra("kubernetes"))
    if not has("kubectl"):
        fix = system_package("kubernetes-client", "kubernetes-client")
        yield Point("kubectl", "note", "not on PATH", NEEDED_FOR, fix)
        return
    yield Point("kubectl", "ok", "on PATH", NEEDED_FOR)
    chosen = os.environ.get("KUBECONFIG")
    if not chosen and not (Path.home() / ".kube" / "config").exists():
        fix = "export KUBECONFIG=FILE, or: kind create cluster --config deploy/kubernetes/schedulers/kind.yaml"
        yield Point("kubernetes", "note", "no cluster is set up: no KUBECONFIG, no ~/.kube/config", NEEDED_FOR, fix)
        return
    said = here.ask(["kubectl", "version", "--output=json", f"--request-timeout={here.left_s():.1f}s"])
    try:
        release = str(json.loads(said.out)["serverVersion"]["gitVersion"]) if said.well else None
    except (ValueError, KeyError, TypeError, RecursionError):
        release = None
    if release:
        yield Point("kubernetes", "ok", f"the cluster answers: {release[:40]}", NEEDED_FOR)
        return
    # What was said may name hosts. Who sets KUBECONFIG means that cluster; a file in a home may be of old.
    told = "the cluster does not answer" + (" in time" if said.code is None else "")
    yield Point("kubernetes", "fix" if chosen else "note", told, NEEDED_FOR, _FIX)
