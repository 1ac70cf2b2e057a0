"""`perfdb schedulers workload`: a workload's list of jobs, before any scheduler gets it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perfdb.cli.records import AsJson

if TYPE_CHECKING:
    from perfdb.families.schedulers.workload.load import Loaded

_MOST_ROWS = 40


def complete_workload(incomplete: str) -> list[str]:
    """Built-in ones, and files."""
    from perfdb.families.schedulers.completion import workloads

    return workloads(incomplete)


def workload(
    source: Annotated[
        str,
        typer.Argument(
            metavar="WORKLOAD",
            help="clog, size-2, size-2-3 or mixed; or a file: FILE.toml, or FILE.swf, a trace.",
            autocompletion=complete_workload,
        ),
    ],
    nodes: Annotated[int, typer.Option(min=1, max=1_000_000, help="Nodes of the cluster that it is for.")] = 4,
    seed: Annotated[int, typer.Option(min=0, max=2**53 - 1, help="Of what is drawn at random.")] = 1,
    load: Annotated[
        float,
        typer.Option(min=0.001, max=100, help="Offered load of `mixed`: node-seconds asked for, over those there are."),
    ] = 0.7,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="How many; of a file the first so many.")
    ] = None,
    compress: Annotated[
        float, typer.Option(min=0.001, max=1_000_000, help="Divide all times by this, to replay a trace sooner.")
    ] = 1.0,
    swf: Annotated[
        Path | None,
        typer.Option("--swf", metavar="FILE", help="Write the list in the Standard Workload Format. Replaces it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the list of jobs that a workload is, or write it as SWF.

    Every arm of a run gets exactly this list: the digest says so. A job is as wide as its nodes, runs for so long once it
    has them, and says beforehand that it will run no longer than its limit.

    \b
    Examples:
      perfdb schedulers workload clog
      perfdb schedulers workload mixed --nodes 16 --jobs 60 --load 1.1 --seed 7
      perfdb schedulers workload trace.swf --nodes 128 --jobs 1000 --compress 60 --json
      perfdb schedulers workload jobs.toml --swf jobs.swf
    """
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.families.schedulers.workload.load import loaded

    found = loaded(source, nodes=nodes, seed=seed, load=load, jobs=jobs or 0, compress=compress)
    if swf is not None:
        _write(found, nodes, swf, Voice())
    if as_json:
        print_json(_document(found, nodes))
    else:
        _print(found, nodes)


def _write(found: Loaded, nodes: int, path: Path, voice: Any) -> None:
    from perfdb.errors import PerfdbError, UsageError
    from perfdb.families.schedulers.workload.swf import write_swf
    from perfdb.families.schedulers.workload.trace import trace_of_jobs
    from perfdb.registry.durable import replace

    try:
        if found.source.kind != "built-in" and path.exists() and path.samefile(found.source.whole):
            raise UsageError(
                f"{path} is the workload itself, of which the list keeps only a part. Name another file with --swf."
            )
        text = write_swf(trace_of_jobs(found.jobs, nodes))
        if path.parent == Path("/dev") or (path.exists() and not path.is_file()):  # a pipe stays what it is
            path.write_text(text, encoding="utf-8")
        else:
            replace(path.resolve(), text.encode())
    except OSError as error:
        raise PerfdbError(f"{path} cannot be written: {error.strerror}. Name another file with --swf.") from error
    voice.say(f"wrote {path}")


def _document(found: Loaded, nodes: int) -> dict[str, Any]:
    from perfdb.families.schedulers.workload.arrivals import offered_load

    return {
        "workload": found.source.name,
        "kind": found.source.kind,
        "source_sha256": found.source.sha256,
        "sha256": found.sha256,
        "nodes": nodes,
        "offered_load": offered_load(found.jobs, nodes),
        "left_out": dict(found.left_out),
        "machine_nodes": found.machine_nodes,
        "jobs": [job.model_dump() for job in found.jobs],
    }


def _print(found: Loaded, nodes: int) -> None:
    from perfdb.cli.render_history import aligned
    from perfdb.cli.terminal import printable
    from perfdb.families.schedulers.workload.arrivals import offered_load
    from perfdb.units import counted, duration, significant

    head = ["job", "arrives", "nodes", "runs", "limit", "user", "experiment"]
    rows = [
        [
            str(job.job),
            duration(job.arrival_s),
            str(job.nodes),
            duration(job.run_s),
            duration(job.limit_s),
            str(job.user),
            job.experiment,
        ]
        for job in found.jobs[:_MOST_ROWS]
    ]
    for line in aligned([head, *rows]):
        print(line)
    if (more := len(found.jobs) - len(rows)) > 0:
        print(f"… and {counted(more, 'job')} more: --json or --swf FILE has them all")
    print()
    work = sum(job.nodes * job.run_s for job in found.jobs)
    load = offered_load(found.jobs, nodes)
    offered = "all arrive at once" if load is None else f"offered load {significant(load, 3)}"
    print(
        f"{counted(len(found.jobs), 'job')}, {significant(work)} node-seconds for {counted(nodes, 'node')}; {offered}"
    )
    print(f"list {found.sha256}")
    for reason, count in found.left_out:
        print(printable(f"left out: {counted(count, 'job')}, {reason}"))
    if found.left_out and found.machine_nodes is not None and found.machine_nodes != nodes:
        print(f"the trace's machine had {found.machine_nodes:,} processors: --nodes {found.machine_nodes}")
