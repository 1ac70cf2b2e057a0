"""`mini-slurm stats`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from perfdb.cli.mini_slurm.told import AsJson

if TYPE_CHECKING:
    from perfdb.minislurm.store.reading import Offer, Stats


def stats(as_json: AsJson = False) -> None:
    """Sum up the jobs and the machine: how many in which state, what is given away, how long jobs waited.

    \b
    Examples:
      mini-slurm stats
      mini-slurm stats --json
    """
    from perfdb.cli.terminal import print_json
    from perfdb.minislurm import client
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.store.reading import Reader

    places = Places.here()
    with Reader(places) as reader:
        found = reader.stats()
    pid = client.is_running(places)
    if as_json:
        print_json(_document(found, pid))
    else:
        for what, said in _lines(found, pid):
            print(f"{what:<10} {said}")


def _document(found: Stats, pid: int | None) -> dict[str, Any]:
    import dataclasses

    waits = found.waits_s
    return dataclasses.asdict(found) | {
        "waits_s": waits and dict(zip(("mean", "median", "longest"), waits, strict=True)),
        "utilisation_percent": found.utilisation_percent,
        "scheduler_pid": pid,
    }


def _lines(found: Stats, pid: int | None) -> Iterator[tuple[str, str]]:
    from perfdb.units import counted, duration

    yield "scheduler", f"runs, process {pid}" if pid else "does not run; start it with: mini-slurm scheduler"
    if found.offer is not None:
        offer = found.offer
        yield "offers", f"{counted(offer.cpus, 'CPU')}{', overcommitted' * offer.overcommit}, {offer.mem_mb:,} MB"
        yield "kept by", offer.enforcement
        yield "elastic", _elastic(offer)
    share = found.utilisation_percent
    percent = "" if share is None else f" ({share:.0f} %)"
    yield "given away", f"{counted(found.cpus_promised, 'CPU')}{percent}, {found.mem_mb_promised:,} MB"
    yield "jobs", ", ".join(f"{count:,} {state}" for state, count in found.counts.items() if count) or "none yet"
    if found.waits_s is not None:
        mean, median, longest = map(duration, found.waits_s)
        yield "waits", f"mean {mean}, median {median}, longest {longest}"
    yield "resizes", f"{found.grown:,} up, {found.shrunk:,} down, {found.overdue:,} overdue"


def _elastic(offer: Offer) -> str:
    if not offer.elastic:
        return "off"
    return (
        f"jobs grow below {offer.threshold_percent:g} %, {offer.cooldown_s:g} s after their last resize at the earliest"
    )
