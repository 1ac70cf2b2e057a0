"""`perfdb validate`: whether records are what they claim to be."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from perfdb.registry.validator import Report
    from perfdb.settings import Settings


def validate(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH", help="Records, or folders of them; default: all.")
    ] = None,
    base: Annotated[str | None, typer.Option(metavar="REV", help="Judge what a branch adds to this one.")] = None,
    head: Annotated[str, typer.Option(metavar="REV", help="With --base: that branch.")] = "HEAD",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a comment for a pull request.")] = False,
) -> None:
    """Check records: whole, unaltered, plausible, private.

    All faults are told in one run, each with file, field and remedy. With --base, the change itself is checked too: it
    may only add records, and configs. What it adds is read from git and never checked out. Exit code 5 when there are
    faults.

    \b
    Examples:
      perfdb validate
      perfdb validate mlruns/throughput/hopper
      perfdb validate --base origin/main --json
    """
    from perfdb.cli.known import rules
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.errors import EXIT_FAULTS, UsageError
    from perfdb.redaction import Identity
    from perfdb.registry.validator import as_markdown, validate_change, validate_folder
    from perfdb.settings import load_settings

    if base is None and head != "HEAD":
        raise UsageError("--head says which branch to judge against --base REV: name that too.")
    if base is not None and paths:
        raise UsageError("with --base, all that the branch adds is judged: leave the paths out.")
    if as_json and markdown:
        raise UsageError("--json and --markdown exclude each other: choose one.")
    settings = load_settings()
    voice = Voice()
    on_progress = voice.counting("records validated", "so far")
    if base is not None:
        # The contributor's own names are looked for where the records are made; what CI says must not hang on its host.
        top, registry = _from_top(settings)
        report = validate_change(top, base, head, registry, rules(), None, on_progress)
    else:
        _there(settings)
        report = validate_folder(settings.registry_path, paths or [], rules(), Identity.here(), on_progress)
    voice.done()
    if as_json:
        print_json(report.document())
    elif markdown:
        print(as_markdown(report), end="")
    else:
        _print(report)
    if not report.ok:
        sys.exit(EXIT_FAULTS)


def _from_top(settings: Settings) -> tuple[Path, str]:
    """The checkout's uppermost folder, and the registry's path from there; it need not be there yet."""
    from perfdb.errors import UsageError
    from perfdb.gitrepo import Repository

    repository = Repository.around(settings.root)
    if repository is None:
        raise UsageError(f"--base judges what a branch adds, and {settings.root} lies in no git checkout.")
    top = repository.top.resolve()
    registry = settings.registry_path.resolve()
    if registry == top or not registry.is_relative_to(top):
        raise UsageError(
            f"the registry {settings.registry_path} is not below the checkout {top}, so no branch can add to it. Set "
            "PERFDB_REGISTRY to a folder in it."
        )
    return top, registry.relative_to(top).as_posix()


def _there(settings: Settings) -> None:
    from perfdb.errors import RegistryError

    if not settings.registry_path.is_dir():
        raise RegistryError(
            f"there is no registry {settings.registry_path}. Measure something first, or name another one with PERFDB_REGISTRY."
        )


def _print(report: Report) -> None:
    from perfdb.cli.terminal import printable
    from perfdb.units import counted

    for file, faults in groupby(report.faults, key=lambda fault: fault.file):
        print(printable(file))
        for fault in faults:
            where = f"{fault.field}: " if fault.field else ""
            print(printable(f"  {where}{fault.problem} [{fault.code}]\n    {fault.remedy}"))
    total = len(report.faults) + report.left_out
    if report.left_out:
        print(f"and {report.left_out:,} more")
    verdict = "nothing is wrong" if report.ok else counted(total, "fault")
    code = "; with a config, which is code: read it" if report.contains_code else ""
    print(f"{counted(len(report.records), 'record')}, {counted(report.files, 'file')}: {verdict}{code}.")
