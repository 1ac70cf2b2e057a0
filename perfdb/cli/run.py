"""`perfdb run FAMILY TARGET` and `run-parsl-perf.py CONFIG [RUN_NAME]`: every field of a family's spec is a flag."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from perfdb.cli.compare import FailOn
from perfdb.cli.flags import flags_of
from perfdb.cli.run_options import (
    ABOUT_PARSL,
    COMMON,
    COMMON_OPTIONS,
    GOING_ON,
    PROGRAM_VERSION,
    SPEC_FILES,
    OptionalName,
    Target,
    output_dir,
)
from perfdb.errors import EXIT_INTERRUPTED, STATUS_EXITS, UsageError

if TYPE_CHECKING:
    from perfdb.families import Family, Subject
    from perfdb.record import Scalar

_CODES = (
    "Exit codes: 0 done; 1 perfdb could not measure, keep or print; 2 wrong usage; 3 the measurement failed or ran out of time; "
    "4 it ran and is invalid; "
)
EPILOG = f"{_CODES}130 interrupted, with a record of what was measured until then."
_GOES_ON = " The same command again goes on where an interrupted one stopped."
GOES_ON_EPILOG = f"{_CODES}130 interrupted: the same command goes on from there."


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
    return _app_for(FAMILIES["throughput"], positional, PROGRAM_VERSION, name="run-parsl-perf.py")


def _positional(family: Family) -> dict[str, Any]:
    subject = family.subject
    if subject is None:
        return {"target": Target}
    return {
        "target": Annotated[
            str | None,
            typer.Argument(metavar=subject.metavar, help=subject.help, autocompletion=subject.complete),
        ],
        "named": Annotated[
            str | None,
            typer.Option(
                subject.option,
                metavar=subject.metavar,
                help="The same.",
                rich_help_panel=COMMON,
                autocompletion=subject.complete,
            ),
        ],
    }


def _app_for(
    family: Family, positional: Mapping[str, Any], options: Mapping[str, Any], name: str | None = None
) -> typer.Typer:
    app = typer.Typer(add_completion=name is not None, pretty_exceptions_enable=False)
    flags = flags_of(family)
    common = {n: option for n, option in COMMON_OPTIONS.items() if family.subject is None or n not in ABOUT_PARSL}
    if family.outputs is not None:
        common["output_dir"] = output_dir(family.outputs)
    if family.goes_on:
        common |= GOING_ON
    parameters = {**positional, **flags, **options, **common}

    def command(**given: Any) -> None:
        given.pop("version", None)  # answered already, if it was asked
        if given.pop("drop", False):
            _drop(family, machine=given["machine"], as_json=given["as_json"])
            return
        if family.subject is not None:
            given["target"] = _the_one(family.subject, given["target"], given.pop("named"))
        spec = {name: given.pop(name) for name in flags}
        _run(family, {k: v for k, v in spec.items() if v is not None}, **given)

    command.__doc__ = (
        f"{family.purpose}\n\n"
        "One run makes one record, which is kept on disk, immutable, before it is shown in MLflow."
        f"{_GOES_ON if family.goes_on else ''}\n\n"
        "\b\nExamples:\n" + "\n".join(f"  {name or f'perfdb run {family.name}'} {typed}" for typed in family.examples)
    )
    _give_signature(command, parameters)
    context = {"help_option_names": ["-h", "--help"]}
    epilog = GOES_ON_EPILOG if family.goes_on else EPILOG
    app.command(name=name or family.name, epilog=epilog, context_settings=context)(command)
    return app


def _the_one(subject: Subject, target: str | None, named: str | None) -> str:
    if (target is None) == (named is None):
        raise UsageError(f"name one {subject.metavar}: as an argument, or with {subject.option}.")
    return target or named or ""


def _give_signature(command: Callable[..., None], parameters: Mapping[str, Any]) -> None:
    """typer reads a command's flags from its signature, and ours is only known now."""
    required = inspect.Parameter.empty if parameters["target"] is Target else None
    defaults: dict[str, Any] = {"target": required} | dict.fromkeys(
        ("no_server", "as_json", "fresh", "drop", "version"), False
    )
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
    fresh: bool = False,
) -> None:
    from perfdb.cli.asked import asked_for, refuse_both
    from perfdb.cli.going_on import run_or_go_on
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
    asked = asked_for(family, settings, voice, **typed, fresh=fresh)
    mirror = RunMirror(settings, voice, start_server=not no_server)
    unwritten = None
    try:
        if family.goes_on:
            outcome = run_or_go_on(asked, settings, voice, mirror, fresh=fresh)
        else:
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


def _drop(family: Family, *, machine: str | None, as_json: bool) -> None:
    from perfdb.cli.going_on import drop_runs
    from perfdb.cli.terminal import Voice
    from perfdb.settings import load_settings

    drop_runs(family, load_settings(machine=machine), Voice(), as_json=as_json)
