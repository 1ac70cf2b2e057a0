"""`perfdb plot`: figures for a paper, and for a first look."""

from __future__ import annotations

from typing import Annotated

import typer

from perfdb.cli import plot_many
from perfdb.cli.completing import complete_metric
from perfdb.cli.figure import Log, Output, Scale, Title, Width
from perfdb.cli.records import complete_id

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Ids = Annotated[
    list[str], typer.Argument(metavar="ID…", help="Records' ids, or their first digits.", autocompletion=complete_id)
]


@app.command()
def ecdf(
    ids: Ids,
    output: Output,
    column: Annotated[str, typer.Option(metavar="NAME", help="Of the samples.")] = "latency_s",
    by: Annotated[str, typer.Option(metavar="NAME", help="Column of words that tells curves apart.")] = "mode",
    only: Annotated[str | None, typer.Option(metavar="WORD", help="Of these curves this one, such as serial.")] = None,
    title: Title = None,
    log: Log = None,
    width: Width = 560,
    scale: Scale = 2.0,
) -> None:
    """Plot the distributions of samples, percentiles marked.

    \b
    Examples:
      perfdb plot ecdf 3f2a -o latency.svg
      perfdb plot ecdf 3f2a 77b0 --only serial --log -o latency.pdf
    """
    from perfdb.cli.figure import entries_of, format_of, labels_of, notes_on, title_of, write
    from perfdb.cli.terminal import Voice
    from perfdb.errors import UsageError
    from perfdb.report.charts import Samples
    from perfdb.report.charts import ecdf as drawn
    from perfdb.report.charts.samples import curves, read_samples

    format_of(output)
    entries = entries_of(ids)
    records = [entry.record for entry in entries]
    labels = labels_of(records) if len(records) > 1 else [""]
    lines, known = [], set()
    for entry, label in zip(entries, labels, strict=True):
        columns = read_samples(entry.record, entry.folder)
        known |= set(columns)
        for word, values in curves(columns, column, by).items():
            if only in (None, word):
                lines.append(Samples(", ".join(filter(None, (label, word))) or "all samples", values))
    if not lines:
        there = f"their columns are {', '.join(sorted(known))}" if known else "they have no samples at all"
        raise UsageError(
            f"none of these records has samples in a column {column!r}{f' of {only!r}' if only else ''}: {there}. Choose "
            "with --column, --by and --only."
        )
    unit = "s" if column.endswith("_s") else ""
    heading, notes = title_of(title, column, unit), notes_on(records)
    write(
        drawn(lines, name=column, unit=unit, title=heading, notes=notes, log=log, width=width), output, scale, Voice()
    )


@app.command()
def repetitions(
    ids: Ids,
    output: Output,
    metric: Annotated[
        str,
        typer.Option(
            metavar="METRIC", help="Which one; the first headline one unless given.", autocompletion=complete_metric
        ),
    ] = "",
    title: Title = None,
    log: Log = None,
    width: Width = 560,
    scale: Scale = 2.0,
) -> None:
    """Plot every repetition of a metric, a row a record. The bar is the interval of the median.

    \b
    Examples:
      perfdb plot repetitions 3f2a 77b0 -o rates.png
      perfdb plot repetitions 3f2a 77b0 --metric cold_start_s -o cold.pdf
    """
    from perfdb.cli.figure import entries_of, format_of, labels_of, notes_on, title_of, unit_of, write
    from perfdb.cli.known import headlines
    from perfdb.cli.terminal import Voice
    from perfdb.report.charts import Group
    from perfdb.report.charts import repetitions as drawn

    format_of(output)
    records = [entry.record for entry in entries_of(ids)]
    first = records[0]
    known = headlines().get(first.origin.source_kind or first.family, ())
    metric = metric or next(iter([*known, *(found.name for found in first.metrics)]), "")
    unit = unit_of(metric, records)
    rows = [
        Group(label, found.all_values)
        for label, record in zip(labels_of(records), records, strict=True)
        if (found := record.metric(metric))
    ]
    heading, notes = title_of(title, metric, unit), notes_on(records)
    spec = drawn(rows, name=metric, unit=unit, title=heading, notes=notes, log=log, width=width)
    write(spec, output, scale, Voice())


@app.command()
def iterations(
    record_id: Annotated[
        str, typer.Argument(metavar="ID", help="A record's id, or its first digits.", autocompletion=complete_id)
    ],
    output: Output,
    metric: Annotated[
        str,
        typer.Option(
            metavar="METRIC", help="Which one; the first there is unless given.", autocompletion=complete_metric
        ),
    ] = "",
    title: Title = None,
    width: Width = 560,
    scale: Scale = 2.0,
) -> None:
    """Plot a run's iterations, a line for each repetition.

    \b
    Examples:
      perfdb plot iterations 3f2a -o iterations.svg
      perfdb plot iterations 3f2a --metric iteration_run_time_s -o iterations.png
    """
    from perfdb.cli.figure import entries_of, format_of, notes_on, title_of, write
    from perfdb.cli.terminal import Voice
    from perfdb.errors import UsageError
    from perfdb.report.charts import iterations as drawn

    format_of(output)
    (record,) = [entry.record for entry in entries_of([record_id])]
    names = list(dict.fromkeys(found.name for found in record.metrics if found.step is not None))
    metric = metric or next(iter(sorted(names, key=lambda name: not name.endswith("tasks_per_s"))), "")
    steps = [found for found in record.metrics if found.step is not None and found.name == metric]
    if not steps:
        there = f"it has {', '.join(names)}" if names else "it has none of any metric"
        raise UsageError(f"record {record.record_id} has no iterations of {metric!r}: {there}.")
    spec = drawn(steps, title=title_of(title, metric, steps[0].unit), notes=notes_on([record]), width=width)
    write(spec, output, scale, Voice())


app.command("history")(plot_many.history)
app.command("scaling")(plot_many.scaling)
app.command("ratios")(plot_many.ratios)
