"""`mini-slurm scheduler`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.mini_slurm.told import AsJson

if TYPE_CHECKING:
    from perfdb.minislurm.places import Places


def scheduler(
    elastic_threshold: Annotated[
        float, typer.Option(metavar="PERCENT", help="Elastic jobs grow while less than this of the CPUs is given away.")
    ] = 50.0,
    disable_elastic: Annotated[bool, typer.Option("--disable-elastic", help="Resize no job.")] = False,
    cooldown: Annotated[
        float, typer.Option(metavar="SECONDS", help="So long after a resize, a job does not grow.")
    ] = 10.0,
    cpus: Annotated[
        int | None, typer.Option(help="CPUs to give to jobs.  [default: all of this machine's]", show_default=False)
    ] = None,
    mem: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory to give to jobs, such as 6GB.  [default: all]")
    ] = None,
    overcommit: Annotated[
        bool, typer.Option("--overcommit", help="--cpus may be more than there are, for jobs that mostly sleep.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the scheduler until Ctrl-C or SIGTERM. Jobs that run then go on, and the next scheduler takes them over.

    \b
    Examples:
      mini-slurm scheduler
      mini-slurm scheduler --elastic-threshold 40.0
      mini-slurm scheduler --disable-elastic --cpus 6 --mem 12GB

    One runs for each MINI_SLURM_HOME, which is your home folder unless it is set. On a terminal it tells of each start,
    resize and end; elsewhere only when it is ready. With --json, it prints what it offers once it is ready.
    """
    from perfdb.cli.terminal import Voice
    from perfdb.minislurm.daemon.program import Options, run
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.policy.cluster import Rules
    from perfdb.minislurm.sizes import memory_mb

    _refuse(elastic_threshold, cooldown)
    places = Places.here()
    options = Options(
        rules=Rules(elastic=not disable_elastic, threshold_percent=elastic_threshold, cooldown_s=cooldown),
        cpus=cpus,
        mem_mb=None if mem is None else memory_mb(mem),
        overcommit=overcommit,
    )
    voice = Voice()
    is_watched = sys.stderr is not None and sys.stderr.isatty()
    is_ready = False

    def tell(text: str) -> None:
        nonlocal is_ready
        # Jobs that waited may start, and those that ended meanwhile end, before it is.
        becomes_ready = not is_ready and text.startswith("ready: ")
        if is_watched or becomes_ready:
            voice.say(text)
        if as_json and becomes_ready:
            _print_offer(places)
        is_ready = is_ready or becomes_ready

    run(places, options, tell)


def _refuse(threshold_percent: float, cooldown_s: float) -> None:
    from perfdb.errors import UsageError

    if not 0 <= threshold_percent <= 100:
        raise UsageError(
            f"--elastic-threshold {threshold_percent:g} is no share of the CPUs. Type percent from 0 to 100, such as "
            "--elastic-threshold 40."
        )
    if not 0 <= cooldown_s < 1e9:
        raise UsageError(f"--cooldown {cooldown_s:g} is no time. Type seconds, such as --cooldown 10.")


def _print_offer(places: Places) -> None:
    import dataclasses
    import os

    from perfdb.cli.terminal import print_json
    from perfdb.minislurm.store.reading import Reader

    with Reader(places) as reader:
        offer = reader.offer()
    print_json({"pid": os.getpid(), "home": str(places.home), "offer": offer and dataclasses.asdict(offer)})
    sys.stdout.flush()
