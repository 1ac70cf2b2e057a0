"""`mini-slurm` and its commands, each imported when it is asked for: scripts call it often, and it must answer at once."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import typer

from perfdb.cli.app import Commands, Entry
from perfdb.cli.mini_slurm.light import lighten
from perfdb.cli.version import perfdb_runs_on, telling


class MiniSlurmCommands(Commands):
    """Those of `mini-slurm`."""

    entries: ClassVar = {
        "submit": Entry("mini_slurm.submit", "submit", "Submit a job, or an array of them."),
        "queue": Entry("mini_slurm.queue", "queue", "List the jobs that wait or run."),
        "show": Entry("mini_slurm.show", "show", "Show all that is known of jobs."),
        "events": Entry("mini_slurm.events", "events", "Show what happened to a job, resizes above all."),
        "wait": Entry("mini_slurm.wait", "wait", "Wait until jobs have ended."),
        "cancel": Entry("mini_slurm.cancel", "cancel", "Cancel jobs, waiting or running."),
        "scheduler": Entry("mini_slurm.scheduler", "scheduler", "Run the scheduler, until stopped."),
        "stats": Entry("mini_slurm.stats", "stats", "Sum up the jobs and the machine."),
    }

    def get_params(self, ctx: Any) -> list[Any]:
        """The options before the command."""
        return lighten(super().get_params(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, or None."""
        if (command := super().get_command(ctx, cmd_name)) is not None:
            lighten(command.get_params(ctx))
        return command


app = typer.Typer(
    name="mini-slurm",
    cls=MiniSlurmCommands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A batch scheduler for this machine, whose elastic jobs grow and shrink while they run.",
    epilog="A first job: mini-slurm scheduler, and in another terminal mini-slurm submit --cpus 2 python3 train.py",
)


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=telling(perfdb_runs_on, of="mini-slurm"),
            is_eager=True,
            help="Print perfdb's version, and Python's.",
        ),
    ] = False,
) -> None:
    pass
