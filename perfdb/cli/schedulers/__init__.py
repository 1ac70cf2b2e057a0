"""`perfdb schedulers`: lists of jobs, the simulator, and tables of what schedulers did with them."""

from __future__ import annotations

from typing import ClassVar

import typer

from perfdb.cli.app import Commands, Entry


class SchedulersCommands(Commands):
    """Those of `perfdb schedulers`."""

    entries: ClassVar = {
        "workload": Entry("schedulers.workload", "workload", "Show a workload's list of jobs, or write it as SWF."),
        "fit": Entry("schedulers.fit", "fit", "Learn a scheduler's delays from a run, for the simulator."),
        "table": Entry(
            "schedulers.table", "table", "Mean and deviation by scheduler and experiment, and what to mind."
        ),
    }


app = typer.Typer(
    cls=SchedulersCommands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def group() -> None:
    """Lists of jobs, the simulator, and tables of what schedulers did with them."""
