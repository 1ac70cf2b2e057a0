"""The flags of a family: its spec's fields, as typer takes them."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import typer

if TYPE_CHECKING:
    from perfdb.families import Family


def flags_of(family: Family) -> dict[str, Any]:
    """A flag for each field of the spec, and one for each further name of a field."""
    from perfdb.cli.meant import flag, names_of

    found: dict[str, Any] = {}
    for field, info in family.spec.model_fields.items():
        for name in names_of(family, field):
            typed = flag(name)
            flags = [f"{typed}/--no-{typed[2:]}"] if info.annotation is bool else [typed]
            shown = "" if info.default is None else f" (default: {info.default})"
            told = f"{info.description}{shown}" if name == field else f"the same as {flag(field)}"
            option = typer.Option(*flags, help=told, show_default=False, autocompletion=family.completes.get(field))
            found[name] = Annotated[_bare(info.annotation) | None, option]
    return found


def _bare(annotation: Any) -> Any:
    """The plain type behind Annotated and Optional."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(next(a for a in get_args(annotation) if a is not type(None)))
    return annotation
