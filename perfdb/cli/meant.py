"""What a word that was typed may mean: the names of a family's options, and which one a slip is near to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import AliasChoices

if TYPE_CHECKING:
    from perfdb.families import Family


def names_of(family: Family, field: str) -> tuple[str, ...]:
    """All that an option of a family may be called, its own name first."""
    info = family.spec.model_fields.get(field)
    alias = info.validation_alias if info else None
    others = [name for name in alias.choices if isinstance(name, str)] if isinstance(alias, AliasChoices) else []
    return (field, *(name for name in others if name != field))


def flag(name: str) -> str:
    """An option as it is typed."""
    return f"-{name}" if len(name) == 1 else "--" + name.replace("_", "-")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that ends a message, with a blank before it; "" where nothing is near."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""
