"""Options and arguments without pydantic: Typer loads it to convert a value, for twice the time of all else that `queue` does."""

from __future__ import annotations

from typing import Any

import typer

_NUMBERS = {int: "whole number", float: "number"}


class _Plain:
    """What Typer calls a runtime parameter, of flags, words, numbers and lists of words."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """`value` as it was typed, or the default, as the command's function takes it."""
        if value is None or self._kind not in _NUMBERS:
            return list(value) if isinstance(value, tuple) else value
        try:
            return self._kind(value)
        except ValueError:
            raise typer.BadParameter(f"{value!r} is no {_NUMBERS[self._kind]}.", ctx=ctx, param=param) from None


def lighten(params: list[Any]) -> list[Any]:
    """These, which now convert without pydantic; those of a kind that isn't known here do as Typer does."""
    for param in params:
        annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
        if annotation in (bool, str, int, float, list[str]):
            param._runtime_param = _Plain(annotation)
    return params
