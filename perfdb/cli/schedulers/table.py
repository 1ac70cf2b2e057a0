"""`perfdb schedulers table`: what schedulers did, ours and others', as one table, and what keeps them apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from perfdb.cli.figure import Scale, Title, Width
from perfdb.cli.records import AsJson
from perfdb.cli.sides import complete_side
from perfdb.errors import UsageError

if TYPE_CHECKING:
    from perfdb.cli.sampled import Chosen
    from perfdb.cli.terminal import Voice
    from perfdb.families.schedulers.analysis.case import Case
    from perfdb.families.schedulers.analysis.table import By
    from perfdb.record import Record
    from perfdb.registry.validator.parquet import ParquetReader

FAMILY = "schedulers"
EXAMPLE = "perfdb run schedulers clog --arms mini-slurm,simulated:fifo"
_NOT_UNDERSTOOD = "samples that no run could have"
_MOST_NAMED = 3

Records = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ID|QUERY",
        help="Which records: ids, a machine or queries.",
        autocompletion=complete_side,
    ),
]
Experiment = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only records of this experiment, as they were filed.")
]
ByWhat = Annotated[
    str, typer.Option("--by", metavar="A,B", help="A line for each scheduler, each experiment, or each of both.")
]
OfMetric = Annotated[
    str,
    typer.Option(metavar="NAME", help="Of which time: total_time_s, wait_s, turnaround_s, bounded_slowdown, …."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Draw it too: FILE.svg, .png, .pdf or .html. Replaces it."),
]


@dataclass(frozen=True)
class Found:
    """What was read. `left_out`: ids of records that do not count, by why."""

    cases: tuple[Case, ...]
    left_out: Mapping[str, Sequence[str]]


def table(
    words: Records = None,
    experiment: Experiment = None,
    by: ByWhat = "scheduler,experiment",
    metric: OfMetric = "total_time_s",
    output: Output = None,
    title: Title = None,
    width: Width = 560,
    scale: Scale = 2.0,
    as_json: AsJson = False,
) -> None:
    """Mean and deviation by scheduler and experiment, and what to mind.

    Measured records and imported ones, of all jobs in them; of all records of the family where nothing is named. Simulated and imported numbers say so, and
    unlike things, such as total times from submission and from the first sight of a job running, are never one number. A mean of which a
    job is missing, since it was not seen to end, is not stated. What keeps schedulers from being compared is told with its figures.
    With -o the same is drawn as boxes, of one table or of those that the same records make.

    \b
    Examples:
      perfdb schedulers table
      perfdb schedulers table 'origin == imported' --metric total_time_s
      perfdb schedulers table 3f2a --by scheduler --metric wait_s
      perfdb schedulers table 3f2a -o times.svg
      perfdb schedulers table --experiment run6 --json | jq '.warnings[].name'
    """
    from perfdb.cli.figure import format_of
    from perfdb.cli.schedulers.render_table import print_table, table_document
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.families.schedulers.analysis.table import metrics_of
    from perfdb.families.schedulers.analysis.table import table as tabled
    from perfdb.families.schedulers.analysis.warnings import warnings_of

    told_by = _by(by)
    if output is not None:
        format_of(output)  # before anything is read
    elif title is not None:
        raise UsageError("--title stands above a figure: name a file for it, such as -o figure.svg.")
    voice = Voice()
    found = _read(words or (), experiment, voice)
    cells = tabled(found.cases, metric, told_by)
    if metric not in (names := metrics_of(found.cases)):
        raise UsageError(
            f"no job of these records has a {metric!r}. Choose with --metric: {', '.join(names) or 'none'}"
        )
    caveats = warnings_of(found.cases)
    if output is not None:
        _draw(found.cases, metric, told_by, output, title, width, scale, voice)
    if as_json:
        print_json(table_document(cells, metric, caveats, found.left_out))
    else:
        print_table(cells, metric, told_by, caveats, found.left_out)


def _draw(
    cases: Sequence[Case],
    metric: str,
    by: Sequence[By],
    output: Path,
    title: str | None,
    width: int,
    scale: float,
    voice: Voice,
) -> None:
    from perfdb.cli.figure import write
    from perfdb.families.schedulers.analysis.boxes import boxes_of
    from perfdb.report.charts.pictures import drawn
    from perfdb.units import counted

    picture = boxes_of(cases, metric, by)
    heading = picture.title if title is None else title
    ids = list(dict.fromkeys(case.record for case in cases))
    records = f"records {', '.join(ids)}" if len(ids) <= _MOST_NAMED else counted(len(ids), "record")
    of = "; ".join(dict.fromkeys(f"{case.made}: {case.of}" for case in cases))
    write(drawn(picture.data, title=heading, notes=[f"{of}; {records}."], width=width), output, scale, voice)


def _by(text: str) -> tuple[By, ...]:
    from perfdb.families.schedulers.analysis.table import By

    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or len(set(words)) < len(words) or not set(words) <= set(get_args(By)):
        raise UsageError(f"--by {text!r}: a table is by scheduler, experiment or both. Type --by scheduler,experiment")
    return tuple(cast("By", word) for word in words)


def _read(words: Sequence[str], experiment: str | None, voice: Voice) -> Found:
    from perfdb.cli.sampled import chosen
    from perfdb.record import is_label
    from perfdb.registry.validator.parquet import ParquetReader

    if experiment is not None and not is_label(experiment):
        raise UsageError(f"--experiment {experiment!r} names none: `perfdb list --columns experiment` shows the names.")
    found = chosen(FAMILY, words, EXAMPLE, voice, imported=True)
    cases: list[Case] = []
    with ParquetReader() as reader:
        for record in [run.record for run in found.counted.runs]:
            if experiment is None or record.experiment == experiment:
                cases += _cases(record, found, reader)
    left_out = {why: ids for why, ids in found.left_out.items() if ids}
    if not cases and left_out:
        raise found.none_counts()
    if not cases:
        raise UsageError(
            f"no record of the family {FAMILY} is of the experiment {experiment}. `perfdb list --columns record_id,experiment` "
            "shows what there is."
        )
    return Found(tuple(cases), left_out)


def _cases(record: Record, found: Chosen, reader: ParquetReader) -> tuple[Case, ...]:
    from perfdb.cli.sampled import columns_of
    from perfdb.families.schedulers.analysis.cases import cases_of

    columns: Mapping[str, Sequence[Any]] | None
    if record.origin.kind == "imported":
        columns = columns_of(record, found.folders[record.record_id], reader)
        if columns is None:
            found.left_out.setdefault("without samples that can be read", []).append(record.record_id)
    else:
        columns = found.samples_of(record, reader)
    if columns is None:
        return ()
    try:
        return cases_of(record, columns)
    except (KeyError, ValueError, TypeError):
        found.left_out.setdefault(_NOT_UNDERSTOOD, []).append(record.record_id)
        return ()
