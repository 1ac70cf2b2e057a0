"""`perfdb retract` and `perfdb annotate`: something said about records afterwards, each time a new file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.records import AsJson, RecordId, complete_id
from perfdb.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from perfdb.record import Annotation, Retraction
    from perfdb.settings import Settings

_INSTEAD = {
    "secret": "leave it out, and change it where it is used",
    "address": "leave it out, or say which part of the machine it is",
    "home": "name the file without its folders, or begin with `~/`",
    "user": "say `a user` or `an administrator`",
    "host": "say what the host does, such as `the login node`, or use the machine's label",
}


def retract(
    record_id: RecordId,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why its numbers are not to be used.")],
    as_json: AsJson = False,
) -> None:
    """Withdraw a record, with the reason.

    The record stays as it is; a new file says that it is withdrawn. Lists and comparisons leave it out, and its run in
    MLflow moves to the deleted ones.

    \b
    Examples:
      perfdb retract 3f2a --reason "another job ran on the same nodes"
      perfdb contribute --push
    """
    from datetime import UTC, datetime

    from perfdb.cli.terminal import print_json, printable
    from perfdb.record import Retraction, new_uuid
    from perfdb.registry import Registry
    from perfdb.registry.remarks import retractions_of
    from perfdb.settings import load_settings

    said = _publishable("--reason", reason)
    settings = load_settings()
    entry = Registry(settings.registry_path).find(record_id)
    found = entry.record.record_id
    known = retractions_of(settings.registry_path).get(found)
    remark = known or Retraction(uuid=new_uuid(), at=datetime.now(UTC), record_id=found, reason=said)
    path = _keep(settings, remark, [] if known else [entry.folder])
    if as_json:
        print_json({**remark.model_dump(mode="json"), "file": str(path), "new": known is None})
    elif known:
        when = f"{known.at:%Y-%m-%d %H:%M} UTC"
        print(printable(f"{found} is withdrawn already, since {when}: {known.reason}"))
    else:
        _tell(f"{found} is withdrawn", path)


def annotate(
    record_ids: Annotated[
        list[str],
        typer.Argument(metavar="ID", help="Records' ids, or their first digits.", autocompletion=complete_id),
    ],
    note: Annotated[str, typer.Option(metavar="TEXT", help="What is to be known about them.")],
    tag: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A label to find them by; may be repeated.")
    ] = None,
    resets_baseline: Annotated[
        bool,
        typer.Option("--resets-baseline", help="What came before them is no measure for them: something was replaced."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say something about records: what changed that day, which figure they are in.

    The records stay as they are; the remark is a new file, and their runs in MLflow show it.

    \b
    Examples:
      perfdb annotate 3f2a 81c0 --note "after the interconnect was replaced" --resets-baseline
      perfdb annotate 3f2a --note "the left bar of figure 3" --tag paper=draft-2
    """
    from datetime import UTC, datetime

    from pydantic import ValidationError

    from perfdb.cli.terminal import print_json
    from perfdb.record import Annotation, new_uuid
    from perfdb.registry import Registry
    from perfdb.settings import load_settings

    said, tags = _publishable("--note", note), _tags(tag or [])
    settings = load_settings()
    registry = Registry(settings.registry_path)
    folders = {entry.record.record_id: entry.folder for entry in map(registry.find, record_ids)}
    try:
        remark = Annotation(
            uuid=new_uuid(),
            at=datetime.now(UTC),
            record_ids=tuple(folders),
            note=said,
            tags=tags or None,
            resets_baseline=resets_baseline,
        )
    except ValidationError as error:
        raise UsageError(
            "--tag: a label's name begins with a letter and holds letters, digits, blanks, `.`, `_` and `-`, at most 100; "
            "its value has at most 1000 characters. Choose another, such as --tag figure=3."
        ) from error
    path = _keep(settings, remark, list(folders.values()))
    if as_json:
        print_json({**remark.model_dump(mode="json"), "file": str(path)})
    else:
        _tell(f"noted for {', '.join(folders)}", path)


def _keep(settings: Settings, remark: Annotation | Retraction, folders: list[Path]) -> Path:
    """Write it, then have MLflow show it at these records' runs."""
    from perfdb.cli.terminal import Voice
    from perfdb.registry.remarks import save_remark
    from perfdb.runner.remarking import show_remarks

    path = save_remark(settings.registry_path, remark)
    if folders:
        show_remarks(settings, Voice(), folders)
    return path


def _tell(what: str, path: Path) -> None:
    from perfdb.cli.printing import shown_path

    print(f"{what}. Written to {shown_path(path)}: `perfdb contribute` takes it along, so that others learn of it.")


def _tags(pairs: list[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"--tag {pair!r} is not KEY=VALUE: type, for example, --tag figure=3.")
        _publishable("--tag", pair)
        found[name] = _publishable("--tag", value)
    return found


def _publishable(option: str, text: str) -> str:
    """The text without outer blanks, if it can be shown to everybody.

    Raises:
        UsageError: it can't; says what is in it and how to say it otherwise, without repeating it.
    """
    from perfdb.redaction import Identity, Redactor

    text = text.strip()
    if not 1 <= len(text) <= 4000:
        raise UsageError(f"{option} takes 1 to 4000 characters, and this has {len(text)}. Say it in a few sentences.")
    if not all(sign.isprintable() or sign in "\n\t" for sign in text):
        raise UsageError(f"{option} holds control characters or no valid text. Type it again without them.")
    found = Redactor(identity=Identity.here()).find(text)
    if found:
        first = found[0]
        where = f"line {first.line}, column {first.column}"
        article = "an" if first.kind == "address" else "a"
        kind = {"user": "user's name", "host": "host's name", "home": "home folder"}.get(first.kind, first.kind)
        raise UsageError(
            f"{option} holds {article} {kind} ({where}), and everybody can read what is kept here. "
            f"Say it otherwise: {_INSTEAD[first.kind]}. Nothing was written."
        )
    return text
