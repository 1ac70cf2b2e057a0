"""`perfdb cluster up|down|status|env`: a real Slurm on this machine."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perfdb.cli.completing import complete_cluster

if TYPE_CHECKING:
    from perfdb.platforms.pocket.places import Places
    from perfdb.platforms.pocket.status import Status

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

Name = Annotated[
    str,
    typer.Option(
        "--name", help="Which of your clusters on this machine.", show_default=True, autocompletion=complete_cluster
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


class Scheduler(StrEnum):
    """Slurm's SchedulerType."""

    backfill = "backfill"
    builtin = "builtin"


class Select(StrEnum):
    """Slurm's SelectType."""

    cons_tres = "cons_tres"
    linear = "linear"


class Priority(StrEnum):
    """Slurm's PriorityType."""

    basic = "basic"
    multifactor = "multifactor"


class Preempt(StrEnum):
    """What becomes of a job that another one preempts."""

    off = "off"
    requeue = "requeue"
    suspend = "suspend"


@app.command()
def up(
    nodes: Annotated[int, typer.Option(min=1, max=64, help="How many nodes.")] = 4,
    cpus: Annotated[int, typer.Option(min=1, max=64, help="CPUs of each, as Slurm counts them.")] = 2,
    cloud: Annotated[
        bool, typer.Option("--cloud", help="Power nodes up when a job wants them, down when none does.")
    ] = False,
    boot_s: Annotated[
        float | None,
        typer.Option(min=0, max=600, help="With --cloud: seconds that a node takes to boot.  [default: 2]"),
    ] = None,
    scheduler: Annotated[Scheduler, typer.Option(help="Slurm's scheduler.")] = Scheduler.backfill,
    select: Annotated[Select, typer.Option(help="What Slurm gives away: CPUs, or whole nodes.")] = Select.cons_tres,
    priority: Annotated[Priority, typer.Option(help="The order of the queue.")] = Priority.basic,
    preempt: Annotated[
        Preempt, typer.Option(help="What partition `high` does to the jobs of `low` and `pocket`.")
    ] = Preempt.off,
    accounting: Annotated[bool, typer.Option("--accounting", help="Run slurmdbd, on a MariaDB of its own.")] = False,
    name: Name = "pocket",
    as_json: AsJson = False,
) -> None:
    """Start a Slurm cluster on this machine, or find the one that runs.

    It lives in a folder of its own below /tmp, with its own munge, ports and logs, beside any Slurm already there.

    \b
    Examples:
      perfdb cluster up
      eval "$(perfdb cluster env)"
      srun -N 2 sh -c 'echo $SLURMD_NODENAME'
      run-parsl-perf.py parsl-configs/slurm_pocket.py
      perfdb cluster down
    """
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.errors import Interrupted, UsageError
    from perfdb.platforms.pocket import Options, Places
    from perfdb.platforms.pocket import up as start

    if boot_s is not None and not cloud:
        raise UsageError("--boot-s says how long a cloud node takes to boot: add --cloud, or leave it out.")
    options = Options(
        nodes=nodes,
        cpus=cpus,
        cloud=cloud,
        **({} if boot_s is None else {"boot_s": boot_s}),
        scheduler=scheduler.value,
        select=select.value,
        priority=priority.value,
        preempt=preempt.value,
        accounting=accounting,
    )
    places = Places.of(name)
    try:
        now = start(places, options, Voice().say)
    except KeyboardInterrupt:
        raise Interrupted(_interrupted(places)) from None
    if as_json:
        print_json(_document(places, now))
    else:
        print(_summary(places, now))
        print(f'next: eval "$({_command("env", name)})"')


@app.command()
def down(name: Name = "pocket", as_json: AsJson = False) -> None:
    """End the cluster and its jobs, and remove all of it. Also what a crash or a reboot left.

    \b
    Examples:
      perfdb cluster down
      perfdb cluster down --name second
    """
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.platforms.pocket import Places
    from perfdb.platforms.pocket import down as stop

    places = Places.of(name)
    ended = stop(places, Voice().say)
    if as_json:
        print_json({"ended": ended})
        return
    print(f"the cluster {name!r} is gone" if ended else f"no cluster {name!r} was here")
    variables = places.exports()
    # Slurm's commands would wait a minute for a controller that is gone.
    if set_here := [variable for variable in variables if os.environ.get(variable) == variables[variable]]:
        print(f"next: unset {' '.join(set_here)}")


@app.command()
def status(name: Name = "pocket", as_json: AsJson = False) -> None:
    """Say whether the cluster runs, and what it does. Exit code 1 when not all of it runs.

    \b
    Examples:
      perfdb cluster status
      perfdb cluster status --json
    """
    from perfdb.cli.terminal import print_json
    from perfdb.platforms.pocket import Places
    from perfdb.platforms.pocket.status import status as look

    places = Places.of(name)
    now = look(places)
    if as_json:
        print_json(_document(places, now))
    else:
        print(_summary(places, now))
        for daemon, pid in now.daemons.items():
            silent = daemon == "slurmctld" and not now.answers
            print(
                f"  {daemon:<12} {f'process {pid}' if pid else 'DEAD'}{', which does not answer' if pid and silent else ''}"
            )
        for node, state in now.nodes.items():
            print(f"  {node:<12} {state}")
    if not now.up:
        sys.exit(1)


@app.command()
def env(name: Name = "pocket", as_json: AsJson = False) -> None:
    """Print what your shell needs to speak to the cluster. From then on Slurm's commands do.

    \b
    Examples:
      eval "$(perfdb cluster env)"
    """
    from perfdb.cli.terminal import print_json
    from perfdb.errors import ClusterError
    from perfdb.platforms.pocket import Places

    places = Places.of(name)
    if places.description() is None:
        raise ClusterError(f"no cluster {name!r} is here. Start it with `{_command('up', name)}`.")
    if as_json:
        print_json(dict(places.exports()))
    else:
        print(places.shell_lines())


def _interrupted(places: Places) -> str:
    from perfdb.platforms.pocket import traces

    if places.folder.exists() or traces.processes(places):
        down, status = _command("down", places.name), _command("status", places.name)
        return f"interrupted; the cluster {places.name!r} is still here: `{status}` shows it, `{down}` ends and removes it."
    return f"interrupted; nothing is left of the cluster {places.name!r}."


def _command(verb: str, name: str) -> str:
    return f"perfdb cluster {verb}" + ("" if name == "pocket" else f" --name {name}")


def _summary(places: Places, now: Status) -> str:
    if now.description is None and not now.processes:
        return f"no cluster {places.name!r} is here; `{_command('up', places.name)}` starts it"
    if not now.processes:
        return f"the cluster {places.name!r} is gone, by a crash or a reboot; `{_command('up', places.name)}` starts it anew"
    if not now.up:
        return (
            f"the cluster {places.name!r} runs only in part; `{_command('down', places.name)}` ends what is left of it"
        )
    assert now.description is not None
    options = now.description.options
    nodes = f"{options.nodes} {'cloud ' if options.cloud else ''}node{'s' if options.nodes > 1 else ''}"
    boot = f" that boot in {options.boot_s:g} s" if options.cloud else ""
    return f"the cluster {places.name!r} is up: {nodes}{boot}, {options.cpus} CPUs each, {len(now.jobs)} jobs"


def _document(places: Places, now: Status) -> dict[str, Any]:
    return {
        "name": places.name,
        "up": now.up,
        "options": now.description.options.model_dump() if now.description else None,
        "daemons": now.daemons,
        "nodes": now.nodes,
        "jobs": list(now.jobs),
        "env": dict(places.exports()),
    }
