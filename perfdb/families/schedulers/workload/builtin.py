"""The workloads that are known by a name. Pure, and from one seed always the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from perfdb.errors import UsageError
from perfdb.families.schedulers.workload.arrivals import poisson
from perfdb.families.schedulers.workload.draft import Draft, generous_limit_s, size_of

USERS = 4
# Of clog: five short ones behind each other take 15 of the long one's 18 s. The rest is for a scheduler's own delays.
_LONG_S = 18.0
_WIDE_S = 3.0
_SHORT_S = 3.0
_SHORTS_A_NODE = 5
_FIXED_RUN_S = 3.0
_APART_S = 0.5
_FIXED_JOBS = 8
_MIXED_JOBS = 12
_MIXED_RUN_S = (1.5, 4.5)


def named(name: str, nodes: int, seed: int, load: float, jobs: int) -> list[Draft]:
    """The built-in workload of that name.

    Args:
        nodes: Of the cluster it is for.
        load: The offered load of `mixed`; the others' arrivals are fixed.
        jobs: How many; 0 for as many as it has by itself, which for `clog` is the only choice.

    Raises:
        UsageError: there is no such one, or none for so few nodes or so many jobs.
    """
    if name not in BUILTINS:
        raise UsageError(unknown(name))
    return list(BUILTINS[name](nodes, random.Random(f"{seed} {name}"), load, jobs))  # noqa: S311 (a load, no secret)


def unknown(name: str) -> str:
    """What to say of a name that is none."""
    near = get_close_matches(name, BUILTINS, n=1)
    return (
        f"there is no workload {name[:200]!r}: it is one of {', '.join(BUILTINS)}, or a file, FILE.toml or FILE.swf."
        + (f" Did you mean {near[0]}?" if near else "")
    )


def _clog(nodes: int, chance: random.Random, _: float, jobs: int) -> Iterator[Draft]:
    """A long job on three quarters of the nodes, one that wants all of them, and short ones behind, one node each.

    First come, first served: the short ones wait for the wide one, which waits for the long one. There are so many that they
    take the machine more than one round then, and so few that they all fit beside the long one.
    """
    if jobs:
        raise UsageError("clog has the jobs that clog a scheduler, no more and no less: leave --jobs out.")
    if nodes < 2:
        raise UsageError(
            "clog needs 2 nodes at least: one for its long job, one that is free meanwhile. Add --nodes 4."
        )
    free = -(-nodes // 4)
    yield _draft(0.0, nodes - free, _LONG_S, chance, "long")
    yield _draft(_APART_S, nodes, _WIDE_S, chance, "wide")
    for short in range(_SHORTS_A_NODE * free):
        yield _draft(2 * _APART_S + short * _APART_S / free / 2, 1, _SHORT_S, chance, "short")


def _sizes(*sizes: int) -> Callable[[int, random.Random, float, int], Iterator[Draft]]:
    """Jobs of these sizes by turns, half a second apart, which is faster than a small cluster takes them."""

    def of(nodes: int, chance: random.Random, _: float, jobs: int) -> Iterator[Draft]:
        if max(sizes) > nodes:
            raise UsageError(f"a job of it needs {max(sizes)} nodes, and there are {nodes}. Add --nodes {max(sizes)}.")
        for number in range(jobs or _FIXED_JOBS):
            wide = sizes[number % len(sizes)]
            yield _draft(number * _APART_S, wide, _FIXED_RUN_S, chance, size_of(wide))

    return of


def _mixed(nodes: int, chance: random.Random, load: float, jobs: int) -> Iterator[Draft]:
    """Sizes from 1 to all nodes, each as often as any other, shuffled, for 1.5 to 4.5 s; Poisson arrivals at the load."""
    count = jobs or _MIXED_JOBS
    sizes = [1 + (place % nodes if count >= nodes else place * nodes // count) for place in range(count)]
    shortest_s, longest_s = _MIXED_RUN_S
    shuffled = [size for _, size in sorted((chance.random(), size) for size in sizes)]
    runs = [shortest_s + (longest_s - shortest_s) * chance.random() for _ in range(count)]
    work = sum(size * run for size, run in zip(shuffled, runs, strict=True))
    arrivals = poisson(count, work, nodes, load, chance)
    for at, size, run in zip(arrivals, shuffled, runs, strict=True):
        yield _draft(at, size, run, chance, size_of(size))


def _draft(arrival_s: float, nodes: int, run_s: float, chance: random.Random, experiment: str) -> Draft:
    return Draft(arrival_s, nodes, run_s, generous_limit_s(run_s), int(chance.random() * USERS), experiment)


BUILTINS: Mapping[str, Callable[[int, random.Random, float, int], Iterator[Draft]]] = {
    "clog": _clog,
    "size-2": _sizes(2),
    "size-2-3": _sizes(2, 3),
    "mixed": _mixed,
}
