"""The part of a cluster that a run has to itself: its nodes, and how much of one a pod asks for so that no other fits beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perfdb.families.schedulers.child.kubernetes.server import Refused, Server, Unfit

Json = Mapping[str, Any]
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|)")
_KEEPS_OUT = frozenset({"NoSchedule", "NoExecute"})


@dataclass(frozen=True)
class Nodes:
    """Those of a run.

    Attributes:
        names: In order; they are numbered by it from 0.
        pins: Whether the cluster has more that pods could go to.
        cpu: What a pod asks for, such as `2001m`.
        objects: As the server has them.
    """

    names: tuple[str, ...]
    pins: bool
    cpu: str
    objects: tuple[Json, ...]


def choose(server: Server, count: int, cpu: str) -> Nodes:
    """The first so many nodes that take pods, if none of them is full.

    Args:
        server: Of the cluster.
        count: How many nodes.
        cpu: What a pod is to ask for, '' for a little more than half of the largest node.

    Raises:
        Unfit: there are fewer, or a pod that has a node to itself does not fit there.
    """
    found, _ = server.list("/api/v1/nodes")
    usable = sorted((one for one in found if _takes_pods(one)), key=_name)
    if len(usable) < count:
        raise Unfit(
            f"{len(usable)} nodes of the cluster are ready and take pods without a toleration: give --nodes "
            f"{max(1, len(usable))}, or less"
        )
    chosen = usable[:count]
    room = {_name(one): _allocatable_m(one) for one in chosen}
    asked = _millis(cpu) if cpu else max(room.values()) // 2 + 1
    taken = _taken_m(server)
    for name, millis in room.items():
        if millis - taken[name] < asked:
            number = next(place for place, one in enumerate(chosen) if _name(one) == name)
            raise Unfit(
                f"node {number} in the order of names has {millis - taken[name]}m of CPU free, and a pod asks for {asked}m: free it, "
                "leave it out (`kubectl cordon`), or give a smaller `cpu` under [jobs] of the arms' file"
            )
    return Nodes(tuple(map(_name, chosen)), len(usable) > count, f"{asked}m", tuple(chosen))


def states(server: Server, names: Sequence[str], busy: Iterable[str]) -> dict[str, int]:
    """How many of those nodes are `idle`, `allocated` (a pod of the run is there) or `down`."""
    found = {_name(one): one for one in server.list("/api/v1/nodes")[0]}
    allocated = frozenset(busy)

    def state(name: str) -> str:
        if name not in found or not _takes_pods(found[name]):
            return "down"
        return "allocated" if name in allocated else "idle"

    return dict(Counter(map(state, names)))


def described(node: Json, number: int) -> dict[str, Any]:
    """What hardware and software a node is, without its name or an address."""
    status = node.get("status") or {}
    info = status.get("nodeInfo") or {}
    labels = (node.get("metadata") or {}).get("labels") or {}
    told = ("architecture", "containerRuntimeVersion", "kernelVersion", "kubeletVersion", "operatingSystem", "osImage")
    return {
        "node": number,
        "capacity": _plain(status.get("capacity")),
        "allocatable": _plain(status.get("allocatable")),
        "info": {key: str(info[key])[:200] for key in told if key in info},
        "instance_type": str(labels.get("node.kubernetes.io/instance-type", ""))[:100],
    }


def _plain(table: object) -> dict[str, str]:
    return {str(key)[:100]: str(value)[:100] for key, value in table.items()} if isinstance(table, Mapping) else {}


def _name(node: Json) -> str:
    return str(node["metadata"]["name"])


def _takes_pods(node: Json) -> bool:
    spec, status = node.get("spec") or {}, node.get("status") or {}
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or [])
    kept_out = any(taint.get("effect") in _KEEPS_OUT for taint in spec.get("taints") or [])
    return ready and not spec.get("unschedulable") and not kept_out


def _allocatable_m(node: Json) -> int:
    return _millis(str(((node.get("status") or {}).get("allocatable") or {}).get("cpu", "0")))


def _millis(quantity: str) -> int:
    match = _QUANTITY.fullmatch(quantity)
    return 0 if match is None else round(float(match[1]) * (1 if match[2] else 1000))


def _taken_m(server: Server) -> Counter[str]:
    """Thousandths of CPUs that pods ask for already, by node; nothing where we may not see other people's."""
    taken: Counter[str] = Counter()
    try:
        pods, _ = server.list("/api/v1/pods")
    except Refused:
        return taken
    for pod in pods:
        spec = pod.get("spec") or {}
        if spec.get("nodeName") and (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
            for container in spec.get("containers") or []:
                requests = (container.get("resources") or {}).get("requests") or {}
                taken[str(spec["nodeName"])] += _millis(str(requests.get("cpu", "0")))
    return taken
