"""`perfdb contribute`: records onto a branch, and the branch to where others are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perfdb.cli.records import complete_id

if TYPE_CHECKING:
    from perfdb.cli.terminal import Voice
    from perfdb.contribute import Check, Contribution, Faulty
    from perfdb.registry.validator import Fault


def contribute(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID",
            help="Records' ids, or their first digits; default: all that the base has not got.",
            autocompletion=complete_id,
        ),
    ] = None,
    push: Annotated[bool, typer.Option("--push", help="Push the branch too; never by force.")] = False,
    remote: Annotated[str | None, typer.Option(metavar="R", help="Where to; default: origin, or the only one.")] = None,
    branch: Annotated[
        str | None, typer.Option(metavar="B", help="Default: results/<machine>/<date>-<short id>.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(metavar="REV", help="What to start from; default: the remote's main branch.")
    ] = None,
    with_config: Annotated[
        bool, typer.Option("--with-config", help="Add the records' configs from parsl-configs/: others will run them.")
    ] = False,
    text: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the pull request's text there, not to stdout.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Commit records to a branch for a pull request.

    Your checkout stays as it is: files, index, branch and uncommitted edits. Every record is checked first, as `perfdb
    validate` does; with any fault nothing is committed, and the exit code is 5. Doing it twice changes nothing; after a
    failed push, the same command goes on where it stopped.

    \b
    Examples:
      perfdb contribute
      perfdb contribute 3f2a 77b0 --push
      perfdb contribute --with-config --text pull-request.md
    """
    from perfdb.cli.known import headlines
    from perfdb.cli.terminal import Voice, print_json
    from perfdb.contribute import Request, next_commands, send
    from perfdb.contribute import contribute as commit
    from perfdb.errors import EXIT_FAULTS, PerfdbError
    from perfdb.settings import load_settings
    from perfdb.units import counted

    settings = load_settings()
    voice = Voice()
    request = Request(
        registry=settings.registry_path,
        root=settings.root,
        state_path=settings.state_path,
        ids=tuple(ids or ()),
        remote=remote,
        branch=branch,
        base=base,
        with_config=with_config,
        headlines=headlines(),
    )
    made = commit(request, _validator(voice), voice)
    voice.done()
    if made.faults:
        if as_json:
            print_json({**_document(made), "faults": [_fault(fault) for fault in made.faults]})
        _tell_faults(made.faults)
        sys.exit(EXIT_FAULTS)
    if made.branch is None:
        if as_json:
            print_json(_document(made))
        voice.say(f"nothing to contribute: {made.base.name} has it all.")
        return
    did = "committed to" if made.is_new else "already on"
    what = " and ".join(
        counted(len(things), noun) for things, noun in ((made.records, "record"), (made.remarks, "remark")) if things
    )
    voice.say(f"{what} {did} the branch {made.branch}, which starts from {made.base.name}")
    failure: PerfdbError | None = None
    if text is not None:
        _write(text, made.text)
    sent_to = made.remote
    if push:
        try:
            sent_to = send(
                made.repository,
                made.remote,
                made.branch,
                lambda line: voice.progress("push", line),
                progress=sys.stderr is not None and sys.stderr.isatty(),
            )
        except PerfdbError as error:
            failure = error
        voice.done()
    pushed = push and failure is None
    commands = next_commands(made.repository, sent_to, made.branch, pushed=pushed)
    if as_json:
        print_json({**_document(made), "pushed": pushed, "next": commands})
    elif text is None:
        print(made.text, end="")
    if failure is not None:
        raise failure
    voice.say("next:\n" + "\n".join(f"  {command}" for command in commands))


def _validator(voice: Voice) -> Check:
    from perfdb.cli.known import rules
    from perfdb.redaction import Identity
    from perfdb.registry.validator import validate_change

    on_progress = voice.counting("records checked", "so far")

    def check(repository: Path, base: str, head: str, registry: str) -> Sequence[Fault]:
        return validate_change(repository, base, head, registry, rules(), Identity.here(), on_progress).faults

    return check


def _document(made: Contribution) -> dict[str, Any]:
    return {
        "branch": made.branch,
        "commit": made.commit,
        "base": {"name": made.base.name, "commit": made.base.commit},
        "records": [record.record_id for record in made.records],
        "remarks": [remark.uuid for remark in made.remarks],
        "new_commit": made.is_new,
        "pushed": False,
        "pull_request_text": made.text,
        "next": [],
    }


def _fault(fault: Faulty) -> dict[str, Any]:
    return {"file": fault.file, "field": fault.field or None, "problem": fault.problem, "remedy": fault.remedy}


def _tell_faults(faults: Sequence[Faulty]) -> None:
    from perfdb.cli.terminal import printable

    lines = []
    for fault in faults:
        where = f"{fault.file}: {fault.field}" if fault.field else fault.file
        lines.append(printable(f"{where}: {fault.problem}\n    {fault.remedy}"))
    lines.append(f"perfdb: nothing was committed: {len(faults)} fault{'' if len(faults) == 1 else 's'}. Mend these, or")
    lines.append("choose other records by their ids: perfdb contribute ID ...")
    print("\n".join(lines), file=sys.stderr)


def _write(path: Path, text: str) -> None:
    from perfdb.errors import RegistryError
    from perfdb.registry.durable import replace

    try:
        replace(path.absolute(), text.encode())
    except OSError as error:
        raise RegistryError(
            f"{path} could not be written: {error.strerror}. The branch is committed; type the same command again with "
            "another --text FILE, or without it."
        ) from error
