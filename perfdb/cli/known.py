"""What families, and kinds of sources, say about their numbers: handed down to the rooms that must not ask them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfdb.record import Scalar
    from perfdb.registry.validator import Rules


def rules() -> Mapping[str, Rules]:
    """What the validator must know, by family and by kind of source."""
    from perfdb.families import FAMILIES
    from perfdb.registry.importers.definitions import DEFINITIONS
    from perfdb.registry.validator import Rules

    return {
        **{
            kind: Rules(metrics or {}, any_metric=metrics is None, imported=True)
            for kind, metrics in DEFINITIONS.items()
        },
        **{f.name: Rules(f.metrics, f.summarise, f.derive, f.implied, agrees=f.agrees) for f in FAMILIES.values()},
    }


def headlines() -> Mapping[str, tuple[str, ...]]:
    """The metrics to show first, by family and by kind of source."""
    from perfdb.families import FAMILIES
    from perfdb.registry.importers.definitions import HEADLINES

    return {**HEADLINES, **{family.name: family.headline for family in FAMILIES.values()}}


def spec_defaults() -> Mapping[str, Mapping[str, Scalar]]:
    """Of each family, what a spec says where nobody asked otherwise."""
    from perfdb.families import FAMILIES

    return {family.name: family.spec().model_dump(mode="json") for family in FAMILIES.values()}
