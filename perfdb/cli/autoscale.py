"""`perfdb autoscale`: what nodes took to come, over many rounds, and nodes against a serverless platform."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.figure import Scale, Title, Width
from perfdb.cli.given import MOST_CORES, AskedFor, given_nodes, given_profile, serverless_way, wanted_cores
from perfdb.cli.records import AsJson
from perfdb.cli.sides import complete_side
from perfdb.errors import UsageError

if TYPE_CHECKING:
    from perfdb.cli.terminal import Voice
    from perfdb.families.autoscale.analysis.batch import Kind
    from perfdb.families.autoscale.analysis.ways import Way

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


Records = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID|QUERY",
        help="Which records: ids, a config, a machine or queries.",
        autocompletion=complete_side,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Draw it: FILE.svg, .png, .pdf or .html. Replaces it."),
]
Profile = Annotated[
    Path | None, typer.Option("--serverless", metavar="FILE.toml", help="A serverless platform's profile.")
]
SecondsPerCore = Annotated[
    float | None, typer.Option(metavar="S", help="In place of a file: seconds from one core's grant to the next.")
]
ColdStart = Annotated[
    float | None,
    typer.Option("--cold-start", metavar="S", help="In place of a file: seconds that a granted core needs to start."),
]
Concurrency = Annotated[
    int | None, typer.Option(metavar="N", help="In place of a file: cold starts that may overlap; default: all.")
]
NodesGiven = Annotated[
    str | None, typer.Option(metavar="S:CORES", help="Nodes that are said to take S seconds and to have so many cores.")
]
Asked = Annotated[
    AskedFor | None, typer.Option("--asked", help="Of --nodes-given: each after the one before, or all together.")
]
GivenBy = Annotated[str, typer.Option(metavar="TEXT", help="Who says what is given by options.")]
CoresPerNode = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=100_000,
        metavar="N",
        help="Of the measured nodes, in place of what their records say; the label says so.",
    ),
]
Cores = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_CORES,
        metavar="N",
        help="Cores that are asked for, at most; default: twice the most that were measured, 64 where none were.",
    ),
]


@app.command()
def analyze(words: Records = None, as_json: AsJson = False) -> None:
    """Take rounds together: what each node and stage took.

    Cold and warm rounds stand apart. Records are pooled where they are alike in all that may move a number, and stand apart where they are not. Without any
    named, all autoscale records are taken. Invalid, failed and withdrawn ones are left out, and named.

    \b
    Examples:
      perfdb autoscale analyze
      perfdb autoscale analyze 3f2a 77b0
      perfdb autoscale analyze 'machine == hopper and started_at > -7d' --json | jq '.pools[].batches'
    """
    from perfdb.cli.render_autoscale import analysis_document, print_analysis
    from perfdb.cli.rounds import measured
    from perfdb.cli.terminal import Voice, print_json

    found = measured(words or (), Voice())
    if as_json:
        print_json(analysis_document(found))
    else:
        print_analysis(found)


@app.command()
def allocation(
    words: Records = None,
    output: Output = None,
    profile: Profile = None,
    seconds_per_core: SecondsPerCore = None,
    cold_start: ColdStart = None,
    concurrency: Concurrency = None,
    nodes_given: NodesGiven = None,
    asked: Asked = None,
    given_by: GivenBy = "the command line",
    cores_per_node: CoresPerNode = None,
    cores: Cores = None,
    title: Title = None,
    width: Width = 560,
    scale: Scale = 2.0,
    as_json: AsJson = False,
) -> None:
    """Set nodes against serverless: cores over time.

    It says from how many cores on, and from when on, which is first. Nodes are those of records' cold rounds, those that are
    given, or both; of all autoscale records where nothing is named and no nodes are given. Nothing is assumed: a serverless platform is what a profile or the options say, and each curve
    says whether it was measured or who gave it.

    \b
    Examples:
      perfdb autoscale allocation 3f2a --serverless profile.toml -o allocation.svg
      perfdb autoscale allocation 3f2a 77b0 --seconds-per-core 2.5 --given-by 'a paper' --json
      perfdb autoscale allocation --nodes-given 27.87:8 --asked at-once --seconds-per-core 2.5 -o allocation.pdf
    """
    voice = _begin(output)
    serverless = given_profile(profile, seconds_per_core, cold_start, concurrency, given_by)
    given = given_nodes(nodes_given, asked, given_by)
    measured = _nodes(words, ("cold",), cores_per_node, voice, as_given=given is not None)
    most = wanted_cores(cores, measured)
    ways = [*measured, *([given.way(most)] if given else [])]
    ways += [serverless_way(serverless, "serverless", most)] if serverless else []
    heading = "Cores over time: nodes and serverless" if title is None else title
    _tell(ways, most, output, heading, width, scale, as_json, voice)


@app.command()
def coldstart(
    words: Records = None,
    output: Output = None,
    profile: Profile = None,
    seconds_per_core: SecondsPerCore = None,
    cold_start: ColdStart = None,
    concurrency: Concurrency = None,
    nodes_given: NodesGiven = None,
    asked: Asked = None,
    given_by: GivenBy = "the command line",
    cores_per_node: CoresPerNode = None,
    cores: Cores = None,
    title: Title = None,
    width: Width = 560,
    scale: Scale = 2.0,
    as_json: AsJson = False,
) -> None:
    """Show cold starts, and what their overlap saves.

    Nodes are those of records' cold and warm rounds, those that are given, or both; of all autoscale records where nothing is
    named or given. A serverless platform, which must have a cold start here, is drawn with its cold starts one after another,
    with as many at a time as it is said to allow, and with all cores kept warm.

    \b
    Examples:
      perfdb autoscale coldstart 3f2a -o coldstart.svg
      perfdb autoscale coldstart 3f2a --serverless profile.toml -o coldstart.pdf
      perfdb autoscale coldstart 3f2a --seconds-per-core 0.1 --cold-start 8 --concurrency 16 --json
      perfdb autoscale coldstart --nodes-given 27.87:8 --asked at-once --seconds-per-core 2.5 --cold-start 10
    """
    voice = _begin(output)
    serverless = given_profile(profile, seconds_per_core, cold_start, concurrency, given_by)
    if serverless and not serverless.cold_start_s:
        raise UsageError(
            "this serverless platform is said to have no cold start, so there is none to show. Say how long one takes: "
            "cold_start_s in the profile, or --cold-start S. `perfdb autoscale allocation` draws it without."
        )
    given = given_nodes(nodes_given, asked, given_by)
    as_given = given is not None or serverless is not None
    measured = _nodes(words, ("cold", "warm"), cores_per_node, voice, as_given=as_given)
    most = wanted_cores(cores, measured)
    ways = [*measured, *([given.way(most)] if given else [])]
    ways += [serverless_way(each, name, most) for name, each in (serverless.scenarios() if serverless else ())]
    heading = "Cold starts: cores over time" if title is None else title
    _tell(ways, most, output, heading, width, scale, as_json, voice)


def _begin(output: Path | None) -> Voice:
    from perfdb.cli.figure import format_of
    from perfdb.cli.terminal import Voice

    if output is not None:
        format_of(output)  # before anything is read
    return Voice()


def _nodes(
    words: list[str] | None, kinds: tuple[Kind, ...], cores_per_node: int | None, voice: Voice, *, as_given: bool
) -> list[Way]:
    """The measured nodes; none where no record was named and something else was given."""
    from perfdb.cli.rounds import measured, ways_of

    if not words and as_given:
        return []
    found = measured(words or (), voice)
    for line in found.told_left_out():
        voice.warn(line)
    ways = ways_of(found, kinds, cores_per_node)
    if not ways:
        raise UsageError(
            f"these records have no {' or '.join(kinds)} round in which a node came. `perfdb autoscale analyze` shows theirs."
        )
    return ways


def _tell(
    ways: list[Way],
    cores: int,
    output: Path | None,
    title: str,
    width: int,
    scale: float,
    as_json: bool,
    voice: Voice,
) -> None:
    from perfdb.cli.figure import write
    from perfdb.cli.render_autoscale import print_ways, spec_of, ways_document
    from perfdb.cli.terminal import print_json
    from perfdb.families.autoscale.analysis.ways import set_against

    found = set_against(ways, cores)
    if output is not None:
        write(spec_of(ways, found, cores, title=title, width=width), output, scale, voice)
    if as_json:
        print_json(ways_document(ways, found, cores))
    else:
        print_ways(ways, found, cores)
