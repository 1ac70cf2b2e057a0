"""What the commands of `perfdb plot` have in common: options, records in, a file out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.errors import RecordError, RegistryError, UsageError

if TYPE_CHECKING:
    from perfdb.cli.terminal import Voice
    from perfdb.record import Record
    from perfdb.registry import Entry
    from perfdb.registry.index import Found
    from perfdb.report.charts import Place, Spec

Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="Where to: FILE.svg, .png, .pdf or .html. Replaces it.")
]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="Above the chart; '' for none.")]
Width = Annotated[int, typer.Option(min=120, max=4000, metavar="PX", help="Width of the plot, without its axes.")]
Scale = Annotated[float, typer.Option(min=0.5, max=10, help="Of a PNG: pixels for each of the plot's.")]
Log = Annotated[bool | None, typer.Option("--log/--linear", help="The axis; the span decides unless given.")]


def format_of(output: Path) -> str:
    """The kind of file that a name asks for.

    Raises:
        UsageError: none that can be made.
    """
    from perfdb.report.charts.drawing import FORMATS

    ending = output.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise UsageError(f"{output}: a figure's name ends in .{', .'.join(FORMATS)}. Type, for example, -o figure.svg.")
    return ending


def write(spec: Spec, output: Path, scale: float, voice: Voice) -> None:
    """Draw a chart into a file, whole or not at all; `scale` pixels for each unit of the chart's.

    Raises:
        UsageError: the file's ending is none of ours.
        RegistryError: it can't be written.
    """
    from perfdb.registry.durable import replace
    from perfdb.report.charts.drawing import FORMATS

    data = FORMATS[format_of(output)](spec, scale)
    try:
        replace(output, data)
    except OSError as error:
        raise RegistryError(
            f"{output} could not be written: {error.strerror}. Name a file in a folder that is there and that you may "
            "write to, with -o."
        ) from error
    voice.say(f"wrote {output}")


def entries_of(ids: Sequence[str]) -> list[Entry]:
    """The records of these ids, each once, in that order.

    Raises:
        RegistryError: an id means none, or several.
    """
    from perfdb.registry import Registry
    from perfdb.settings import load_settings

    registry = Registry(load_settings().registry_path)
    entries = [registry.find(record_id) for text in ids for record_id in text.split(",") if record_id]
    return list({entry.record.record_id: entry for entry in entries}.values())


def found_records(query: str | None, metric: str, voice: Voice) -> list[Record]:
    """The records that a query finds, withdrawn ones too, of the families that have this metric.

    Raises:
        UsageError: no record has such a metric, or the query is none.
    """
    from perfdb.cli.opening import open_index
    from perfdb.registry.store import RECORD_FILE, read_record
    from perfdb.settings import load_settings

    root = load_settings().registry_path
    found = open_index(voice).search(query, retracted=True)
    column = found.columns([f"metric.{metric}"])[0]
    rows = found.rows([*found.columns(["family", "folder"]), column])
    families = {family for family, _, value in rows if value is not None}
    records = []
    for family, folder, _ in rows:
        if family not in families:
            continue
        try:
            records.append(read_record(root / str(folder) / RECORD_FILE))
        except RecordError as error:
            voice.warn(str(error))
    _tell(found, voice)
    return records


def _tell(found: Found, voice: Voice) -> None:
    for text in (found.remark, *found.faults):
        if text:
            voice.warn(str(text))


def title_of(asked: str | None, metric: str, unit: str) -> str:
    """The title on a figure: the one that was asked for, else the metric's name."""
    from perfdb.report.charts.scales import named

    return named(metric, unit).capitalize() if asked is None else asked


def labels_of(records: Sequence[Record]) -> list[str]:
    """What tells these records apart, each in a few words."""
    facts: Sequence[Callable[[Record], str]] = (
        lambda record: record.config.name if record.config else record.run_name,
        lambda record: record.environment.machine,
        lambda record: next((f"{name} {v}" for name, v in sorted(record.code.measured.items())), ""),
    )
    telling = [fact for fact in facts if len({fact(record) for record in records}) > 1]
    labels = [", ".join(filter(None, (fact(record) for fact in telling))) for record in records]
    return [
        label if label and labels.count(label) == 1 else ", ".join(filter(None, (label, record.record_id[:8])))
        for label, record in zip(labels, records, strict=True)
    ]


def notes_on(records: Sequence[Record]) -> list[str]:
    """How many records are on a figure, what they share, and which of them do not count elsewhere."""
    from perfdb.units import counted

    shared: Mapping[str, set[str]] = {
        "": {record.config.name for record in records if record.config},
        "on ": {record.environment.machine for record in records},
        "parsl ": {record.code.measured.get("parsl", "") for record in records},
    }
    parts = [f"{word}{next(iter(texts))}" for word, texts in shared.items() if len(texts) == 1 and any(texts)]
    ids = f" ({records[0].record_id})" if len(records) == 1 else ""
    poor = [record for record in records if record.status != "ok"]
    warned = f" {len(poor)} of them not ok: {', '.join(sorted({record.status for record in poor}))}." if poor else ""
    words = ", ".join([f"{counted(len(records), 'record')}{ids}", *parts])
    return [f"{words}.{warned}"]


def unit_of(metric: str, records: Sequence[Record]) -> str:
    """The unit of a metric, which must be one.

    Raises:
        UsageError: none of these records has it, or they give it in several.
    """
    units = sorted({found.unit for record in records if (found := record.metric(metric))})
    if not units:
        known = sorted({found.name for record in records for found in record.metrics if found.step is None})
        raise UsageError(f"none of these records has the metric {metric!r}; they have {', '.join(known) or 'none'}.")
    if len(units) > 1:
        raise UsageError(f"these records give {metric} in {', '.join(units)}: choose those of one unit.")
    return units[0]


def scaling_places(
    records: Sequence[Record], withdrawn: Mapping[str, object], metric: str, x: str, lines: Sequence[str] | None
) -> tuple[list[Place], list[str]]:
    """A figure's points, and what to say about the records that are not on it.

    Args:
        x: A parameter whose values are numbers.
        lines: What tells lines apart: `config`, `machine`, `parsl_version`, or a parameter; None for those three and all
            that differs besides `x`.

    Raises:
        UsageError: no record is left.
    """
    from perfdb.report.charts.places import LINES, number, others, places_of

    left: dict[str, int] = {}
    known: list[Record] = []
    for record in records:
        found, at = record.metric(metric), number(record, x)
        why: str = "withdrawn" if record.record_id in withdrawn else record.status
        if why == "ok" and (found is None or at is None):
            why = f"without {metric if found is None else x}"
        if why != "ok":
            left[why] = left.get(why, 0) + 1
        else:
            known.append(record)
    if not known:
        told = ", ".join(f"{count} {why}" for why, count in sorted(left.items())) or "the query finds none"
        raise UsageError(f"no record is left that counts and has both {metric} and a number for {x}: {told}.")
    places, shared = places_of(known, metric, x, (*LINES, *others(known, x)) if lines is None else lines)
    missing = ", ".join(f"{count} {why}" for why, count in sorted(left.items()))
    return places, [text for text in (shared, f"Left out: {missing}." if missing else "") if text]
