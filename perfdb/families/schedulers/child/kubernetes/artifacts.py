"""What is kept of a run beside its numbers: nodes, images by digest, manifests, pods, the scheduler's logs; bounded, without names."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from perfdb.families.schedulers.child.kubernetes.server import Away, Refused, Server
from perfdb.redaction import ADDRESS, HOST, Redactor

LARGEST_LOG_BYTES = 1024 * 1024
MOST_LOGS = 8
_LARGEST_BYTES = 4 * 1024 * 1024


class Artifacts:
    """The folder `artifacts` of a child.

    Args:
        folder: Where it is made.
        nodes: The names of the cluster's nodes, which are told by their numbers.
        hidden: Other names that are nobody's business, such as the API server's host.
    """

    def __init__(self, folder: str, nodes: Sequence[str], hidden: Iterable[str] = ()) -> None:
        self._folder = os.path.join(folder, "artifacts")
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        self._names = {name: f"node-{number}" for number, name in enumerate(nodes)}
        self._names.update({name: HOST for name in hidden if name})
        longest_first = sorted(self._names, key=lambda name: (-len(name), name))
        self._known = (
            re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])") if longest_first else None
        )
        self._redactor = Redactor()

    def scrubbed(self, text: str) -> str:
        """The text without the names of nodes, addresses, and what looks like a secret."""
        if self._known is not None:
            text = self._known.sub(lambda found: self._names[found[0]], text)
        return _ADDRESSES.sub(ADDRESS, self._redactor.text(text))

    def table(self, name: str, content: Any) -> None:
        """Keep something as JSON."""
        self._write(f"{name}.json", json.dumps(content, indent=1, sort_keys=True))

    def logs(self, server: Server, pods: Iterable[Mapping[str, Any]], since: str) -> str:
        """Keep what the containers of these pods logged since that instant; returns what could not be read, '' for nothing."""
        missing = []
        for number, (pod, container) in enumerate(_containers(pods)):
            if number >= MOST_LOGS:
                missing.append("more containers than are kept")
                break
            metadata = pod["metadata"]
            path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/log"
            try:
                text = server.text(path, container=container, sinceTime=since, limitBytes=LARGEST_LOG_BYTES)
            except (Refused, Away) as error:
                missing.append(f"{container}: {error}")
                continue
            self._write(f"scheduler-{number}-{re.sub(r'[^a-z0-9-]', '_', container)[:60]}.log", text)
        return "; ".join(missing)

    def _write(self, name: str, text: str) -> None:
        text = self.scrubbed(text[:_LARGEST_BYTES])
        with open(os.path.join(self._folder, name), "w", encoding="utf-8", errors="replace") as file:
            file.write(text)


def images_of(pods: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """From the images that pods were to run to what they ran, by digest where the node says it."""
    found = {}
    for pod in pods:
        for one in (pod.get("status") or {}).get("containerStatuses") or []:
            found[str(one.get("image"))[:500]] = str(one.get("imageID") or "")[:500]
    return found


def plain(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest without what tells who made it."""
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "annotations"}
    return {**manifest, "metadata": metadata}


_ADDRESSES = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]|\.\d)")


def _containers(pods: Iterable[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], str]]:
    return [(pod, str(one["name"])) for pod in pods for one in (pod.get("spec") or {}).get("containers") or []]
