"""`perfdb run FAMILY TARGET` and `run-parsl-perf.py CONFIG [RUN_NAME]`: every field of a family's spec is a flag."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from perfdb.cli.compare import FAIL_ON_HELP, FailOn
from perfdb.cli.flags import flags_of
from perfdb.errors import EXIT_INTERRUPTED, STATUS_EXITS, UsageError

if TYPE_CHECKING:
    from perfdb.families import Family, Outputs, Subject
    from perfdb.record import Scalar

EPILOG = (
    "Exit codes: 0 done; 1 perfdb could not measure, keep or print; 2 wrong usage; 3 the measurement failed or ran out of time; "
    "4 it ran and is invalid; 130 interrupted, with a record of what was measured until then."
)
COMMON = "What to measure and how to file it"


def complete_config(incomplete: str) -> list[str]:
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
OptionalName = Annotated[str | None, typer.Argument(metavar="[RUN_NAME]", help="What to call this run.")]
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


class RunGroup(TyperGroup):
    """One command a family, made from its spec when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (the name is typer's)
        """The families."""
        from perfdb.families import FAMILIES

        return sorted(FAMILIES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (as above)
        """The family's command, or None."""
        from perfdb.families import FAMILIES

        family = FAMILIES.get(cmd_name)
        return None if family is None else typer.main.get_command(_app_for(family, _positional(family), SPEC_FILES))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The family's command.

        Raises:
            UsageError: there is no such family.
        """
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from perfdb.cli.meant import did_you_mean

            known = self.list_commands(ctx)
            raise UsageError(
                f"there is no family {args[0]!r}; there are {', '.join(known)}. Type, for example: "
                f"perfdb run {known[0]} local_htex.{did_you_mean(args[0], known)}"
            )
        return super().resolve_command(ctx, args)


group = typer.Typer(cls=RunGroup, pretty_exceptions_enable=False)


def parsl_perf_app() -> typer.Typer:
    """The throughput family under the name of parsl-perf's wrapper."""
    from perfdb.families import FAMILIES

    positional = {"target": Target, "name": OptionalName}
    return _app_for(FAMILIES["throughput"], positional, {}, name="run-parsl-perf.py")


def _positional(family: Family) -> dict[str, Any]:
    subject = family.subject
    if subject is None:
        return {"target": Target}
    return {
        "target": Annotated[str | None, typer.Argument(metavar=f"[{subject.metavar}]", help=subject.help)],
        "named": Annotated[
            str | None, typer.Option(subject.option, metavar=subject.metavar, help="The same.", rich_help_panel=COMMON)
        ],
    }


def _app_for(
    family: Family, positional: Mapping[str, Any], options: Mapping[str, Any], name: str | None = None
) -> typer.Typer:
    app = typer.Typer(add_completion=name is not None, pretty_exceptions_enable=False)
    flags = flags_of(family)
    common = {n: option for n, option in COMMON_OPTIONS.items() if family.subject is None or n not in ABOUT_PARSL}
    if family.outputs is not None:
        common["output_dir"] = _output_dir(family.outputs)
    parameters = {**positional, **flags, **options, **common}

    def command(**given: Any) -> None:
        if family.subject is not None:
            given["target"] = _the_one(family.subject, given["target"], given.pop("named"))
        spec = {name: given.pop(name) for name in flags}
        _run(family, {k: v for k, v in spec.items() if v is not None}, **given)

    command.__doc__ = (
        f"Measure {family.name}: one run, one record.\n\n"
        "The record is kept on disk, immutable, before it is shown in MLflow.\n\n"
        "\b\nExamples:\n" + "\n".join(f"  {name or f'perfdb run {family.name}'} {typed}" for typed in family.examples)
    )
    _give_signature(command, parameters)
    context = {"help_option_names": ["-h", "--help"]}
    app.command(name=name or family.name, epilog=EPILOG, context_settings=context)(command)
    return app


def _output_dir(outputs: Outputs) -> Any:
    told = f"Write {', '.join(outputs.files)} there as well, a folder without them."
    return Annotated[Path | None, typer.Option(metavar="DIR", help=told, rich_help_panel=COMMON)]


def _the_one(subject: Subject, target: str | None, named: str | None) -> str:
    if (target is None) == (named is None):
        raise UsageError(f"name one {subject.metavar}: as an argument, or with {subject.option}.")
    return target or named or ""


def _give_signature(command: Callable[..., None], parameters: Mapping[str, Any]) -> None:
    """typer reads a command's flags from its signature, and ours is only known now."""
    required = inspect.Parameter.empty if parameters["target"] is Target else None
    defaults: dict[str, Any] = {"target": required, "no_server": False, "as_json": False}
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(n), annotation=annotation)
            for n, annotation in parameters.items()
        ]
    )
    command.__annotations__ = dict(parameters)


def _run(
    family: Family,
    flags: dict[str, Scalar],
    *,
    target: str,
    name: str | None,
    experiment: str | None,
    timeout: float | None,
    machine: str | None,
    no_server: bool,
    as_json: bool,
    python: Path | None = None,
    parsl: str | None = None,
    against: str | None = None,
    fail_on: list[FailOn] | None = None,
    spec_file: Path | None = None,
    settings_: list[str] | None = None,
    output_dir: Path | None = None,
) -> None:
    from perfdb.cli.asked import asked_for, refuse_both
    from perfdb.cli.render import print_outcome
    from perfdb.cli.terminal import Voice, delivering, print_json
    from perfdb.runner import NotWritten, run
    from perfdb.runner.mirroring import RunMirror
    from perfdb.settings import load_settings

    settings = load_settings(machine=machine)
    if python is not None and parsl is not None:
        raise UsageError("--python and --parsl both say which Parsl to measure: leave one of them out.")
    if fail_on and against is None:
        raise UsageError("--fail-on is about a comparison: name what to compare with by --against CONFIG|PARSL.")
    voice = Voice()
    typed: dict[str, Any] = {
        "target": target,
        "flags": flags,
        "spec_file": spec_file,
        "pairs": settings_ or [],
        "run_name": name,
        "experiment": experiment,
        "machine": machine,
        "timeout_s": timeout,
        "python": python,
        "parsl": parsl,
        "output_dir": output_dir,
    }
    refuse_both(family, typed)
    if against is not None:
        from perfdb.cli.against import run_against

        run_against(family, settings, voice, against, typed, [v.value for v in fail_on or ()], as_json=as_json)
    asked = asked_for(family, settings, voice, **typed)
    mirror = RunMirror(settings, voice, start_server=not no_server)
    unwritten = None
    try:
        outcome = run(asked, settings, voice, mirror)
    except NotWritten as error:  # told once the record was
        outcome, unwritten = error.outcome, error
    voice.done()
    with delivering(outcome.record.record_id, as_json=as_json):
        if as_json:
            print_json(outcome.record.document())
        else:
            print_outcome(outcome, family, mirror.url)
    if unwritten is not None:
        raise unwritten
    if outcome.record.status == "interrupted":
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(STATUS_EXITS[outcome.record.status])
