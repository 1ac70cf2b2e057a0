"""`perfdb` and its commands. Nothing heavy is imported here: `perfdb --help` must answer at once, so a command's module is
imported when that command is asked for, and its line of help stands here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, NamedTuple

import typer
from typer.core import TyperGroup

from perfdb.cli.version import perfdb_measures_with, telling
from perfdb.errors import UsageError


class Entry(NamedTuple):
    """Where a command is, and what it does in a line. `name` is a function, or a `typer.Typer` of further commands."""

    module: str
    name: str
    help: str
    hidden: bool = False


COMMANDS = {
    "run": Entry("run", "group", "Measure: one run of a family."),
    "sweep": Entry("sweep", "sweep", "Measure a matrix of set-ups in turns."),
    "bisect": Entry("bisect", "bisect", "Find the release or commit that changed a metric."),
    "reproduce": Entry("reproduce", "reproduce", "Do a record's run again, into a new record."),
    "list": Entry("records", "list_records", "List the records, newest first."),
    "show": Entry("records", "show", "Show one record in full."),
    "compare": Entry("compare", "compare", "Compare sides: what differs, by how much, how sure."),
    "history": Entry("history", "history", "A metric over versions or dates, and what changed."),
    "plot": Entry("plot", "app", "Draw figures: SVG, PNG, PDF or HTML."),
    "report": Entry("report", "report", "Make a static site of the records."),
    "export": Entry("export", "export", "Export records to a Parquet or CSV file."),
    "autoscale": Entry("autoscale", "app", "Node acquisition over many rounds; nodes against serverless."),
    "serve": Entry("serve", "app", "A service to measure, until stopped."),
    "preflight": Entry("preflight", "preflight", "Say whether a service is fit to be measured."),
    "scaling": Entry("scaling", "app", "What services bear, and what more hosts bring."),
    "schedulers": Entry("schedulers", "app", "Workloads, the simulator, and tables of schedulers."),
    "annotate": Entry("remarks", "annotate", "Say something about records."),
    "retract": Entry("remarks", "retract", "Withdraw a record, with the reason."),
    "import": Entry("import_", "import_", "Import what others measured."),
    "init": Entry("init", "init", "Start a results repository for a group."),
    "validate": Entry("validate", "validate", "Check records: whole, unaltered, plausible, private."),
    "contribute": Entry("contribute", "contribute", "Commit records to a branch for a pull request."),
    "configs": Entry("configs", "configs", "List the configs in parsl-configs/."),
    "sync": Entry("sync", "sync", "File killed runs, bring MLflow up to date."),
    "doctor": Entry("doctor", "doctor", "Say what is here, what is missing, what to type."),
    "cluster": Entry("cluster", "app", "A real Slurm on this machine."),
    "server": Entry("server", "app", "MLflow's own pages on this machine."),
    "ui": Entry("server", "app", "As `server`.", hidden=True),
}


class Commands(TyperGroup):
    """The commands, each made when it is asked for."""

    entries: ClassVar[Mapping[str, Entry]] = COMMANDS

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (the name is typer's)
        """In the order of a first acquaintance."""
        return list(self.entries)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (as above)
        """The command, or None."""
        entry = self.entries.get(cmd_name)
        return _made(cmd_name, entry) if entry else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is typed.

        Raises:
            UsageError: there is no such one.
        """
        # While a shell completes, an answer is empty or words to choose from.
        if args and not args[0].startswith("-") and args[0] not in self.entries and not ctx.resilient_parsing:
            from perfdb.cli.meant import did_you_mean

            shown = [name for name, entry in self.entries.items() if not entry.hidden]
            raise UsageError(
                f"there is no command {args[0][:80]!r}; `{ctx.info_name} --help` lists those there are.{did_you_mean(args[0], shown)}"
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (as above)
        """The table in the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items() if not entry.hidden])


def _made(name: str, entry: Entry) -> Any:
    module = importlib.import_module(f"perfdb.cli.{entry.module}")
    found: typer.Typer | Callable[..., None] = getattr(module, entry.name)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name, help=entry.help, hidden=entry.hidden)
        return typer.main.get_command(app).get_command(None, name)  # type: ignore[attr-defined]
    context = getattr(module, "CONTEXT", None)
    app.command(name, epilog=getattr(module, "EPILOG", None), context_settings=context)(found)
    return typer.main.get_command(app)


app = typer.Typer(
    name="perfdb",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,  # the framed help of rich costs as much again as all the rest of `perfdb --help`
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="How fast is Parsl here, how sure are we, and what changed?",
    epilog="A first measurement: run-parsl-perf.py parsl-configs/local_htex.py --time 5",
)


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=telling(perfdb_measures_with),
            is_eager=True,
            help="Print perfdb's version, and with what it measures.",
        ),
    ] = False,
) -> None:
    pass
