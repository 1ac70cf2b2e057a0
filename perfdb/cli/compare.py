"""`perfdb compare A B…`: sides against a baseline."""

from __future__ import annotations

import sys
from collections.abc import Collection
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.completing import complete_metric
from perfdb.cli.sides import complete_side

if TYPE_CHECKING:
    from perfdb.cli.terminal import Voice
    from perfdb.compare.comparison import Comparison
    from perfdb.settings import Settings


class FailOn(Enum):
    """A verdict that a check in CI must not pass."""

    WORSE = "worse"
    BETTER = "better"
    UNDECIDED = "undecided"
    TOO_FEW = "too-few"
    FAILED = "failed"


FAIL_ON_HELP = (
    "End with exit code 6 if any metric is: worse, better, undecided, too-few; or failed: the other side has only runs that "
    "failed where the baseline has good ones, which is worse too. Repeat it for several."
)


def compare(
    sides: Annotated[
        list[str],
        typer.Argument(
            metavar="A B…",
            help="Sides: record ids (a1b2,c3d4), a machine, a Parsl version, a config, or a query. The first is the baseline.",
            autocompletion=complete_side,
        ),
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="This metric; repeat it for several. Default: the family's headline.",
            autocompletion=complete_metric,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIMENSION",
            help="Compare although this differs, such as python, packages or param.provider.max_blocks; repeat it for several.",
        ),
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="QUERY", help="Only records of this query, on every side.")
    ] = None,
    band: Annotated[
        float, typer.Option(min=0.001, max=1.0, help="A ratio from 1/(1 + this) to 1 + this is equivalent.")
    ] = 0.05,
    fail_on: Annotated[list[FailOn] | None, typer.Option(metavar="VERDICT", help=FAIL_ON_HELP)] = None,
    no_mlflow: Annotated[
        bool, typer.Option("--no-mlflow", help="Don't show it in MLflow, as a run of the experiment `comparisons`.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare sides: what differs, by how much, and how sure that is.

    Only like runs are compared: whatever differs besides is refused, unless --ignore names it. Ratios are the other
    side's over the baseline's, with a 95 % interval; a verdict is about the other side. Exit code 6 where --fail-on
    matches; 5 where records could not be read: they are left out, and named.

    \b
    Examples:
      perfdb compare 2025.8.4 2025.11.3 --where 'machine == hopper'
      perfdb compare hopper birch --metric warm_tasks_per_s --ignore python
      perfdb compare local_threads local_htex
      perfdb compare 3f2a,77b0 91c4,d02e --json
      perfdb compare 'started_at < 2026-11-01' 'started_at >= 2026-11-01' --fail-on worse
    """
    from perfdb.cli.known import headlines, spec_defaults
    from perfdb.cli.opening import open_index
    from perfdb.cli.render_comparison import print_comparison
    from perfdb.cli.sides import Sides
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.compare.between import compare as compared
    from perfdb.errors import EXIT_FAULTS, UsageError
    from perfdb.settings import load_settings

    if len(sides) < 2:
        raise UsageError("a comparison needs two sides or more: type, for example, perfdb compare 2025.8.4 2025.11.3.")
    if twice := next((side for side in sides if sides.count(side) > 1), None):
        raise UsageError(f"the side {twice!r} is there twice: name two that differ.")
    voice = Voice()
    settings = load_settings()
    found = Sides(settings.registry_path, open_index(voice), where)
    chosen = [found.chosen(side) for side in sides]
    if found.remark:
        voice.warn(found.remark)
    for fault in found.faults:
        voice.warn(str(fault))
    comparison = compared(
        chosen,
        headlines=headlines(),
        metrics=metric or (),
        ignore=ignore or (),
        band=band,
        defaults=spec_defaults(),
    )
    if as_json:
        print_json(comparison.model_dump(mode="json"))
    else:
        print_comparison(comparison)
    if not no_mlflow:
        show_in_mlflow(settings, comparison, voice)
    sys.exit(
        exit_code(comparison, [verdict.value for verdict in fail_on or ()]) or (EXIT_FAULTS if found.faults else 0)
    )


def show_in_mlflow(settings: Settings, comparison: Comparison, voice: Voice) -> None:
    """Have it shown where MLflow is in use: on a server that is named, or in a local database that is there."""
    from perfdb.runner.comparing import show_comparison

    if settings.tracking_is_local and not (settings.state_path / "mlflow.db").exists():
        return
    sys.stdout.flush()  # MLflow takes seconds, and the reader has the table already
    url = show_comparison(settings, comparison, voice, start_server=False)
    if url is not None:
        voice.say(f"MLflow  {url}")


def exit_code(comparison: Comparison, fail_on: Collection[str], once: Collection[str] = ()) -> int:
    """EXIT_MATCHED if some metric of any case has one of these verdicts, or the other side fails a case, else EXIT_DONE.

    Args:
        fail_on: Of `worse`, `better`, `undecided`, `too-few`, `failed`; what fails is worse too.
        once: Metrics that a run has once, so that a run's own comparison always has too few of them.
    """
    from perfdb.errors import EXIT_DONE, EXIT_MATCHED

    verdicts = {
        metric.verdict.replace(" ", "-")
        for case in comparison.cases
        for metric in case.metrics
        if not (metric.verdict == "too few" and metric.metric in once)
    }
    if comparison.failed:
        verdicts |= {"failed", "worse"}
    return EXIT_MATCHED if verdicts & set(fail_on) else EXIT_DONE
