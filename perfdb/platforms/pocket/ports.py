"""Ports that nobody listens on, for a cluster's daemons."""

from __future__ import annotations

import random

from perfdb.errors import ClusterError
from perfdb.platforms.pocket.places import Places, Ports
from perfdb.platforms.pocket.traces import all_ports, is_free

# Below those that the kernel gives to whoever connects somewhere, and above most services.
_FIRST, _LAST = 20000, 32000
_TRIES = 200


def choose(nodes: int) -> Ports:
    """Ports for a new cluster. Two that choose at the same instant hardly ever choose the same.

    A sleeping cloud node listens on none, so the descriptions of our other clusters are asked as well.

    Raises:
        ClusterError: there are none.
    """
    taken = {port for other in Places.all() for port in _of(other)}
    for _ in range(_TRIES):
        first = random.randint(_FIRST, _LAST - nodes - 2)  # noqa: S311 (nobody is to be kept from guessing it)
        ports = Ports(slurmctld=first, slurmdbd=first + 1, slurmd=first + 2)
        wanted = all_ports(ports, nodes)
        if not taken.intersection(wanted) and all(map(is_free, wanted)):
            return ports
    raise ClusterError(
        f"no {nodes + 2} free ports in a row were found between {_FIRST} and {_LAST}. Look with `ss -tlnp` what listens there, "
        "end what you can spare, and try again."
    )


def _of(places: Places) -> list[int]:
    described = places.description()
    return all_ports(described.ports, described.options.nodes) if described else []
