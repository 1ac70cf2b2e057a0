"""`perfdb plot history`, `scaling` and `ratios`: figures of many records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from perfdb.cli.completing import complete_metric
from perfdb.cli.figure import Log, Output, Scale, Title, Width
from perfdb.cli.history import By
from perfdb.cli.records import Query
from perfdb.cli.sides import complete_side

MetricName = Annotated[
    str, typer.Argument(metavar="METRIC", help="Such as warm_tasks_per_s.", autocompletion=complete_metric)
]


def history(
    metric: MetricName,
    output: Output,
    query: Query = None,
    by: Annotated[By, typer.Option(help="Along the version of what was measured, or along time.")] = By.VERSION,
    title: Title = None,
    width: Width = 560,
    scale: Scale = 2.0,
) -> None:
    """Plot a metric over versions or dates, and what changed.

    The records that the query finds must be alike but for version and date: one machine, one config, one spec.

    \b
    Examples:
      perfdb plot history warm_tasks_per_s 'config == local_threads and machine == hopper' -o history.pdf
      perfdb plot history cold_start_s 'config == slurm_hopper' --by date -o cold.png
    """
    from perfdb.cli.figure import format_of, found_records, title_of, write
    from perfdb.cli.terminal import Voice
    from perfdb.compare.history import history as past
    from perfdb.errors import UsageError
    from perfdb.registry.remarks import annotations_of, retractions_of
    from perfdb.report.charts import history as drawn
    from perfdb.settings import load_settings

    format_of(output)
    voice, root = Voice(), load_settings().registry_path
    records = found_records(query, metric, voice)
    found = past(records, metric, by=by.value, withdrawn=retractions_of(root), annotations=annotations_of(root))
    series = [each for each in found.series if each.points]
    if len(series) != 1:
        raise UsageError(_not_one(metric, [each.circumstances for each in series]))
    where = ", ".join(f"{name} {value}" for name, value in series[0].circumstances.items() if value is not None)
    heading, notes = title_of(title, metric, series[0].unit), [f"{where}.", *series[0].remarks]
    spec = drawn(series[0], metric=metric, by=found.by, title=heading, notes=notes, width=width)
    write(spec, output, scale, voice)


def _not_one(metric: str, circumstances: Sequence[Mapping[str, object]]) -> str:
    if not circumstances:
        return (
            f"no record that counts has the metric {metric!r} here. `perfdb list QUERY` shows which records there are, and "
            "`perfdb show ID` which metrics they have."
        )
    told = "".join(
        "\n  " + ", ".join(f"{n} {v}" for n, v in each.items() if v is not None) for each in circumstances[:10]
    )
    more = f"\n  and {len(circumstances) - 10} more" if len(circumstances) > 10 else ""
    return (
        f"these records make {len(circumstances)} histories of {metric}, and a figure shows one:{told}{more}\n"
        "Narrow the query, for example with 'machine == M and config == C'."
    )


def scaling(
    metric: MetricName,
    output: Output,
    x: Annotated[str, typer.Option("--x", metavar="COLUMN", help="What it is against: provider.nodes_per_block, ….")],
    query: Query = None,
    lines: Annotated[
        str | None,
        typer.Option(
            "--lines",
            metavar="A,B,…",
            help="What tells lines apart; default: config, machine, parsl_version and all else that differs.",
        ),
    ] = None,
    title: Title = None,
    log: Log = None,
    width: Width = 560,
    scale: Scale = 2.0,
) -> None:
    """Plot a metric against a parameter, with its spread.

    Where a line has one record at a place, the point is the median of its repetitions and the bar goes from the least to
    the greatest; where it has several records, each counts with its median.

    \b
    Examples:
      perfdb plot scaling warm_tasks_per_s --x provider.nodes_per_block -o nodes.pdf
      perfdb plot scaling warm_tasks_per_s 'config == slurm_hopper' --x executor.max_workers_per_node \\
        --lines parsl_version -o workers.png
    """
    from perfdb.cli.figure import format_of, found_records, scaling_places, title_of, unit_of, write
    from perfdb.cli.terminal import Voice
    from perfdb.registry.remarks import retractions_of
    from perfdb.report.charts import scaling as drawn
    from perfdb.settings import load_settings

    format_of(output)
    voice = Voice()
    records = found_records(query, metric, voice)
    unit = unit_of(metric, records)
    names = None if lines is None else [name.strip() for name in lines.split(",") if name.strip()]
    places, notes = scaling_places(records, retractions_of(load_settings().registry_path), metric, x, names)
    heading = title_of(title, metric, unit)
    spec = drawn(places, name=metric, unit=unit, param=x, title=heading, notes=notes, log=log, width=width)
    write(spec, output, scale, voice)


def ratios(
    sides: Annotated[
        list[str],
        typer.Argument(metavar="A B…", help="Sides, as of `perfdb compare`.", autocompletion=complete_side),
    ],
    output: Output,
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="This metric; repeat it for several.", autocompletion=complete_metric),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="DIMENSION", help="Compare although this differs; repeat it.")
    ] = None,
    where: Annotated[str | None, typer.Option(metavar="QUERY", help="Only records of this query.")] = None,
    band: Annotated[float, typer.Option(min=0.001, max=1.0, help="As of `perfdb compare`.")] = 0.05,
    title: Title = None,
    width: Width = 560,
    scale: Scale = 2.0,
) -> None:
    """Plot what `perfdb compare` finds. Each metric has its ratio, the interval and the verdict.

    \b
    Examples:
      perfdb plot ratios 2025.8.4 2025.11.3 --where 'machine == hopper' -o ratios.pdf
      perfdb plot ratios local_threads local_htex -o ratios.png
    """
    from perfdb.cli.figure import format_of, write
    from perfdb.cli.known import headlines
    from perfdb.cli.opening import open_index
    from perfdb.cli.sides import Sides
    from perfdb.cli.terminal import Voice
    from perfdb.compare.between import compare
    from perfdb.errors import UsageError
    from perfdb.report.charts import ratios as drawn
    from perfdb.settings import load_settings

    format_of(output)
    if len(sides) < 2:
        raise UsageError(
            "a comparison needs two sides or more: type, for example, perfdb plot ratios A B -o ratios.svg."
        )
    voice = Voice()
    found = Sides(load_settings().registry_path, open_index(voice), where)
    chosen = [found.chosen(side) for side in sides]
    for fault in found.faults:
        voice.warn(str(fault))
    comparison = compare(chosen, headlines=headlines(), metrics=metric or (), ignore=ignore or (), band=band)
    if not any(each.interval for case in comparison.cases for each in case.metrics):
        raise UsageError(
            "there are too few values for any interval, so there is nothing to draw. `perfdb compare` says which runs "
            "would suffice."
        )
    heading = f"{' and '.join(sides[1:])} against {sides[0]}" if title is None else title
    write(drawn(comparison, title=heading, band=band, width=width), output, scale, voice)
