"""What `perfdb run` takes besides the options of a family."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perfdb.cli.compare import FAIL_ON_HELP, FailOn
from perfdb.cli.version import perfdb_measures_with, telling

if TYPE_CHECKING:
    from perfdb.families import Outputs

COMMON = "What to measure and how to file it"


def complete_config(incomplete: str) -> list[str]:
    """For the shell: the names of configs that begin so."""
    from perfdb.cli.found import config_files
    from perfdb.settings import load_settings

    return [path.stem for path in config_files(load_settings().root) if path.stem.startswith(incomplete)]


Target = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG",
        help="A Parsl config: a file, or the name of one in parsl-configs/ (`perfdb configs`).",
        autocompletion=complete_config,
    ),
]
OptionalName = Annotated[str | None, typer.Argument(metavar="RUN_NAME", help="What to call this run.")]
COMMON_OPTIONS: dict[str, Any] = {
    "experiment": Annotated[
        str | None, typer.Option(help="The experiment to file it under; default: the family.", rich_help_panel=COMMON)
    ],
    "timeout": Annotated[
        float | None,
        typer.Option(
            metavar="S", help="Seconds after which all ends; what was measured is kept.", rich_help_panel=COMMON
        ),
    ],
    "machine": Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help="This machine's label; default: the setting `machine`, then a stable pseudonym.",
            rich_help_panel=COMMON,
        ),
    ],
    "python": Annotated[
        Path | None,
        typer.Option(metavar="EXE", help="Measure the Parsl of this Python instead of ours.", rich_help_panel=COMMON),
    ],
    "parsl": Annotated[
        str | None,
        typer.Option(
            metavar="VERSION|PATH|GIT-REF",
            help="Measure this Parsl in an environment of its own: 2025.8.4, ../parsl, ../parsl@my-branch, "
            "git+https://…@ref.",
            rich_help_panel=COMMON,
        ),
    ],
    "against": Annotated[
        str | None,
        typer.Option(
            metavar="CONFIG|PARSL",
            help="Measure this config, or this Parsl, as well, repetition by repetition in turns, and compare with it.",
            autocompletion=complete_config,
            rich_help_panel=COMMON,
        ),
    ],
    "fail_on": Annotated[
        list[FailOn] | None,
        typer.Option(metavar="VERDICT", help=f"With --against: {FAIL_ON_HELP}", rich_help_panel=COMMON),
    ],
    "no_server": Annotated[
        bool, typer.Option("--no-server", help="Don't start MLflow's local pages afterwards.", rich_help_panel=COMMON)
    ],
    "as_json": Annotated[
        bool, typer.Option("--json", help="Print the record as one JSON document.", rich_help_panel=COMMON)
    ],
}
# Of the program `run-parsl-perf.py`; that of `perfdb run` stands before the command.
PROGRAM_VERSION: dict[str, Any] = {
    "version": Annotated[
        bool,
        typer.Option(
            "--version",
            callback=telling(perfdb_measures_with, of="run-parsl-perf.py"),
            is_eager=True,
            help="Print perfdb's version, and with what it measures.",
        ),
    ],
}
# What a family that measures something else than a Parsl config has no use for.
ABOUT_PARSL = frozenset({"python", "parsl", "against", "fail_on"})
SPEC_FILES: dict[str, Any] = {
    "name": Annotated[str | None, typer.Option("--name", help="What to call this run.", rich_help_panel=COMMON)],
    "spec_file": Annotated[
        Path | None,
        typer.Option("--spec", metavar="FILE.toml", help="The family's options from a file.", rich_help_panel=COMMON),
    ],
    "settings_": Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="One of the family's options, by name.", rich_help_panel=COMMON
        ),
    ],
}
# Of a family whose runs wait where they were interrupted.
GOING_ON: dict[str, Any] = {
    "fresh": Annotated[
        bool,
        typer.Option("--fresh", help="Begin anew where the same run was interrupted.", rich_help_panel=COMMON),
    ],
    "drop": Annotated[
        bool,
        typer.Option(
            "--drop",
            help="Give the interrupted runs of this family up: what they measured becomes records.",
            rich_help_panel=COMMON,
        ),
    ],
}


def output_dir(outputs: Outputs) -> Any:
    """The option of a family that gives files besides the record."""
    told = f"Write {', '.join(outputs.files)} there as well, a folder without them."
    return Annotated[
        Path | None,
        typer.Option("--output-dir", "--outdir", metavar="DIR", help=told, rich_help_panel=COMMON),
    ]
