"""`perfdb` and its commands. Nothing heavy is imported here: `perfdb --help` must answer at once."""

from __future__ import annotations

from typing import Annotated

import typer

from perfdb import __version__
from perfdb.cli import configs, contribute, doctor, export, import_, records, remarks, server, sync, validate
from perfdb.cli.run import RunGroup

app = typer.Typer(
    name="perfdb",
    no_args_is_help=True,
    rich_markup_mode=None,  # the framed help of rich costs as much again as all the rest of `perfdb --help`
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="How fast is Parsl here, how sure are we, and what changed?",
    epilog="A first measurement: run-parsl-perf.py parsl-configs/local_htex.py --time 5",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"perfdb {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print perfdb's version and exit.")
    ] = False,
) -> None:
    pass


app.add_typer(
    typer.Typer(cls=RunGroup, pretty_exceptions_enable=False), name="run", help="Measure: one run of a family."
)
app.command("list")(records.list_records)
app.command("show")(records.show)
app.command("export")(export.export)
app.command("annotate")(remarks.annotate)
app.command("retract")(remarks.retract)
app.command("import")(import_.import_)
app.command("validate")(validate.validate)
app.command("contribute")(contribute.contribute)
app.command("configs")(configs.configs)
app.command("sync")(sync.sync)
app.command("doctor")(doctor.doctor)
app.add_typer(server.app, name="server", help="MLflow's own pages on this machine.")
app.add_typer(server.app, name="ui", hidden=True)
