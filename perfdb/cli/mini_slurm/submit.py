"""`mini-slurm submit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.mini_slurm.told import AsJson, note

if TYPE_CHECKING:
    from perfdb.minislurm.store.reading import Offer

# What follows the first word of the command is the command's: `--epochs 3` is no option of ours.
CONTEXT = {"allow_interspersed_args": False}
EPILOG = "The options come first; all that follows the command's first word is the command's."


def submit(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="The program and its arguments. One quoted string is split into words."),
    ] = None,
    cpus: Annotated[
        int | None, typer.Option(help="CPUs; of an elastic job, at its start.  [default: 1]", show_default=False)
    ] = None,
    mem: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Memory, such as 512M, 4GB or 1.5G; a bare number is MB.  [default: 1024M]"),
    ] = None,
    priority: Annotated[int, typer.Option(help="Higher starts sooner, and shrinks elastic jobs of lower ones.")] = 0,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="LIMIT",
            help="It is ended after this long: minutes, MM:SS, HH:MM:SS or D-HH:MM:SS. Jobs behind a wide one start early "
            "only if they and those that run have a limit.  [default: none]",
        ),
    ] = None,
    array: Annotated[
        str | None,
        typer.Option(metavar="INDICES", help="One job for each index, such as 0-9, 1-7:2 or 0,2,5; see below."),
    ] = None,
    elastic: Annotated[bool, typer.Option("--elastic", help="It may be resized while it runs.")] = False,
    min_cpus: Annotated[
        int | None, typer.Option(help="With --elastic: it is not shrunk below.  [default: --cpus]", show_default=False)
    ] = None,
    max_cpus: Annotated[
        int | None, typer.Option(help="With --elastic: it does not grow above.  [default: all]", show_default=False)
    ] = None,
    shell: Annotated[bool, typer.Option("--shell", help="COMMAND is one line for /bin/sh.")] = False,
    as_json: AsJson = False,
) -> None:
    """Submit a job, or an array of them. It starts once a scheduler runs and there is room.

    \b
    Examples:
      mini-slurm submit --cpus 2 python3 train.py --epochs 3
      mini-slurm submit --elastic --cpus 2 --max-cpus 8 --mem 4GB --priority 5 "python3 train.py"
      mini-slurm submit --shell 'sort < in.txt | uniq -c > out.txt'
      mini-slurm submit --time 30 --array 0-9 --shell './part $MINI_SLURM_ARRAY_TASK_ID'

    A job runs in the current folder with the current environment. What it prints goes to ~/.mini_slurm_logs/job_ID.out
    and job_ID.err. A job of an array finds its index in MINI_SLURM_ARRAY_TASK_ID, and is called ARRAY_INDEX: 12_3.
    """
    import os
    from pathlib import Path

    from perfdb.cli.terminal import print_json
    from perfdb.errors import UsageError
    from perfdb.minislurm import client
    from perfdb.minislurm.checking import Typed, checked
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.store.reading import Reader
    from perfdb.units import counted

    try:
        cwd = str(Path.cwd())
    except FileNotFoundError:
        raise UsageError("the current folder was removed, and a job runs in it. Change to another one: cd ~") from None
    places = Places.here()
    typed = Typed(command or (), shell, elastic, cpus, min_cpus, max_cpus, mem, priority, time, array)
    with Reader(places) as reader:
        offer = reader.offer()
    cpus_offered, mem_mb_offered = _offered(offer)
    request, notes = checked(typed, cpus=cpus_offered, mem_mb=mem_mb_offered, env=dict(os.environ), cwd=cwd)
    if elastic and offer is not None and not offer.elastic:
        notes = (*notes, f"the scheduler resizes no jobs (--disable-elastic): it keeps {counted(request.cpus, 'CPU')}")
    done = client.submit(places, request)
    notes = (*notes, *done.notes)
    first, count = done.ids[0], len(done.ids)
    if as_json:
        print_json({"id": first, "job_count": count, "is_array": bool(request.array), "notes": notes})
    else:
        print(f"Submitted array {first} ({counted(count, 'job')})" if request.array else f"Submitted job {first}")
        for each in notes:
            note(each)


def _offered(offer: Offer | None) -> tuple[int, int]:
    """CPUs and MB of memory: the scheduler's, or before the first one this machine's."""
    if offer is not None:
        return offer.cpus, offer.mem_mb
    from perfdb.minislurm import machine

    here = machine.here()
    return len(here.cpu_ids), here.mem_mb
