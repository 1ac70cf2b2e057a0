"""`perfdb scaling`: what services bear, load by load, and what more hosts bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.records import AsJson
from perfdb.cli.sides import complete_side

if TYPE_CHECKING:
    from perfdb.cli.terminal import Voice
    from perfdb.families.scaling.analysis.deployments import Measured

FAMILY = "scaling"
EXAMPLE = "perfdb serve lean --port 8000 in one shell, perfdb run scaling http://127.0.0.1:8000 in another"
app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Records = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID|QUERY", help="Which records: ids, machines or queries.", autocompletion=complete_side),
]


@app.callback()
def group() -> None:
    """What services bear, load by load, and what more hosts bring."""


@app.command()
def analyze(words: Records = None, as_json: AsJson = False) -> None:
    """Ceilings, latency against load, hosts; with runs on one host and on several, the scaling factor.

    Without any named, all scaling records are taken. Invalid, failed and withdrawn ones are left out, and named. Of runs on
    as many hosts the newest counts for the factor.

    \b
    Examples:
      perfdb scaling analyze
      perfdb scaling analyze 3f2a 77b0
      perfdb scaling analyze 'started_at > -7d' --json | jq '.more_hosts'
    """
    from perfdb.cli.render_scaling import document, print_runs
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.families.scaling.analysis.deployments import more_hosts

    runs, left_out = _measured(words or (), Voice())
    against = more_hosts(runs)
    if as_json:
        print_json(document(runs, against, left_out))
    else:
        print_runs(runs, against, left_out)


def _measured(words: list[str] | tuple[str, ...], voice: Voice) -> tuple[list[Measured], dict[str, list[str]]]:
    """Those records' loads, oldest first, and those left out by why.

    Raises:
        UsageError: a word names no such record, or none is left that counts.
    """
    from perfdb.cli.sampled import chosen
    from perfdb.families.scaling.analysis.deployments import Measured
    from perfdb.families.scaling.assemble import cells_of, hosts_of
    from perfdb.families.scaling.spec import ScalingSpec
    from perfdb.registry.validator.parquet import ParquetReader

    found = chosen(FAMILY, words, EXAMPLE, voice)
    runs = []
    with ParquetReader() as reader:
        for run in sorted(found.counted.runs, key=lambda run: run.record.started_at):
            record = run.record
            if (columns := found.samples_of(record, reader)) is None:
                continue
            spec = ScalingSpec.model_validate({k: v for k, v in record.spec.items() if k in ScalingSpec.model_fields})
            sessions = hosts_of(columns)
            runs.append(
                Measured(
                    record_id=record.record_id,
                    name=f"{record.config.name if record.config else record.run_name} on {record.environment.machine}",
                    hosts=spec.expected_hosts or max(1, len(sessions)),
                    cells=tuple(cells_of(spec, columns)),
                    criterion=spec.criterion,
                    unit=spec.unit,
                    sessions=sessions,
                )
            )
    if not runs:
        raise found.none_counts()
    return runs, found.left_out
