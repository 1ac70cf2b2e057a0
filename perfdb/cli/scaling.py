"""`perfdb scaling`: what services bear, load by load, and what more hosts bring."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from perfdb.cli.figure import Scale, Title, Width
from perfdb.cli.records import AsJson
from perfdb.cli.sides import complete_side
from perfdb.errors import UsageError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class ChartName(StrEnum):
    """What `--chart` takes."""

    CURVE = "curve"
    THROUGHPUT = "throughput"
    LATENCY = "latency"
    SUCCESS = "success"
    P99 = "p99"
    HOSTS = "hosts"


Records = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID|QUERY", help="Which records: ids, machines or queries.", autocompletion=complete_side),
]
Single = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID|QUERY", help="Records of one host, taken together; repeat it.", autocompletion=complete_side
    ),
]
Multi = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID|QUERY", help="Records of several hosts, to set against those.", autocompletion=complete_side
    ),
]
Hosts = Annotated[
    int | None,
    typer.Option(min=2, max=10_000, metavar="N", help="How many hosts served --multi, in place of what they say."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Draw it: FILE.svg, .png, .pdf or .html. Replaces it."),
]
Chart = Annotated[
    ChartName | None,
    typer.Option(
        help="With -o: ceilings against hosts, unless given; or of one run its throughput or latency against load, its grid of success or "
        "p99, or sessions by host."
    ),
]
Wait = Annotated[
    float | None, typer.Option(metavar="S", help="With --chart latency: of this wait; the shortest unless given.")
]


@app.callback()
def group() -> None:
    """What services bear, load by load, and what more hosts bring."""


@app.command()
def analyze(
    words: Records = None,
    single: Single = None,
    multi: Multi = None,
    hosts: Hosts = None,
    output: Output = None,
    chart: Chart = None,
    wait: Wait = None,
    title: Title = None,
    width: Width = 560,
    scale: Scale = 2.0,
    as_json: AsJson = False,
) -> None:
    """Tell ceilings, latency against load, and hosts. With runs on one host and on several, the scaling factor too.

    Without any named, all scaling records are taken, imported ones too, which stand apart from those that were measured
    here. Invalid, failed and withdrawn ones are left out, and named. Of runs of one kind on as many hosts the newest counts
    for the factor; those that --single and --multi name are taken together.

    \b
    Examples:
      perfdb scaling analyze
      perfdb scaling analyze --single 3f2a --multi 77b0 -o scaling.svg
      perfdb scaling analyze 77b0 --chart latency --wait 5 -o latency.pdf
      perfdb scaling analyze 'started_at > -7d' --json | jq '.more_hosts[].factors'
    """
    from perfdb.cli.figure import format_of, write
    from perfdb.cli.loads import found_loads, picture_of
    from perfdb.cli.render_scaling import document, print_runs
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.families.scaling.analysis.deployments import more_hosts
    from perfdb.report.charts.pictures import drawn

    if output is not None:
        format_of(output)  # before anything is read
    elif chart is not None or wait is not None:
        raise UsageError("--chart and --wait say what is drawn: name a file for it, such as -o figure.svg.")
    voice = Voice()
    found = found_loads(words or (), single or (), multi or (), hosts, voice)
    against = more_hosts(found.runs)
    if output is not None:
        picture, notes = picture_of(found.runs, against, (chart or ChartName.CURVE).value, wait)
        heading = picture.title if title is None else title
        write(drawn(picture.data, title=heading, notes=notes, width=width), output, scale, voice)
    if as_json:
        print_json(document(found.runs, against, found.left_out))
    else:
        print_runs(found.runs, against, found.left_out)
