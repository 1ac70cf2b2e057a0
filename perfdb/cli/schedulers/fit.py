"""`perfdb schedulers fit`: the delays of a real scheduler for the simulator, and how far off the simulator is with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.records import AsJson
from perfdb.cli.sides import complete_side
from perfdb.errors import UsageError

if TYPE_CHECKING:
    from perfdb.cli.schedulers.fitted import Measured
    from perfdb.cli.terminal import Voice


def fit(
    record: Annotated[
        str, typer.Argument(metavar="ID|QUERY", help="The run to learn from.", autocompletion=complete_side)
    ],
    arm: Annotated[
        int | None, typer.Option(min=1, max=6, metavar="N", help="Of this arm alone, by its place in --arms.")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID|QUERY",
            help="A run of the same arms, to hold the simulator against; repeat it.",
            autocompletion=complete_side,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn from a run how long its schedulers take, and simulate with that.

    The schedule delay is from when a job could start, because it came or because nodes became free, until its program begins;
    the release delay from the end of its program until its nodes are free; each a median over all jobs. A scheduler that looks at
    its queue only every so often has a cycle besides, and its schedule delay counts from when a job got its nodes. With --against, the
    list of another run is simulated with them, and its makespan set against the median of the measured ones. A `builtin` Slurm
    is simulated as fifo, one with backfill as easy.

    \b
    Examples:
      perfdb schedulers fit 3f2a
      perfdb schedulers fit 3f2a --arm 1 --json
      perfdb schedulers fit 3f2a --against 77b0 --against 91ce
    """
    from perfdb.cli.schedulers.fitted import document, held_against, learned, print_fits
    from perfdb.cli.terminal import Voice, print_json

    voice = Voice()
    source = _one(record, voice)
    fits = learned(source, arm)
    found = [row for word in against or () for row in held_against(fits, _one(word, voice))]
    if as_json:
        print_json(document(source, fits, found))
    else:
        print_fits(source, fits, found)
    for one in fits:
        if one.warning:
            voice.warn(one.warning)


def _one(word: str, voice: Voice) -> Measured:
    """The one measured run that a word names.

    Raises:
        UsageError: it names none, or several, or its samples can't be read.
    """
    from perfdb.cli.sampled import chosen
    from perfdb.cli.schedulers.fitted import Measured
    from perfdb.families.schedulers.reading import read
    from perfdb.registry.validator.parquet import ParquetReader

    found = chosen("schedulers", [word], "perfdb run schedulers size-2-3", voice)
    records = [run.record for run in found.counted.runs]
    if len(records) > 1:
        raise UsageError(
            f"{word} names {len(records)} runs, and one is asked for: name it by its id, such as {records[-1].record_id}."
        )
    for record in records:
        with ParquetReader() as reader:
            columns = found.samples_of(record, reader)
        if columns is not None:
            return Measured(record.record_id, str(record.params.get("workload.name", "")), read(columns))
    raise found.none_counts()
