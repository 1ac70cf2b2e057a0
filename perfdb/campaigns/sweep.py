"""A matrix of set-ups: every config with every Parsl and every value of options and params. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perfdb.record import Scalar


@dataclass(frozen=True)
class Cell:
    """One set-up of the matrix.

    Attributes:
        config: As typed.
        parsl: As typed; None for the Parsl that is there.
        spec: The family's options that vary.
        overrides: The config's params that vary.
    """

    config: str
    parsl: str | None
    spec: Mapping[str, str] = field(default_factory=dict)
    overrides: Mapping[str, Scalar] = field(default_factory=dict)


def cells(
    configs: Sequence[str],
    parsls: Sequence[str],
    vary: Mapping[str, Sequence[str]],
    options: frozenset[str],
) -> list[Cell]:
    """Every combination: the first name's values change slowest.

    Args:
        configs: At least one.
        parsls: None of them means the Parsl that is there.
        vary: Values by name. A name among `options` is an option of the family, any other one a param of the config.
        options: The family's options.
    """
    found = []
    for config, parsl in itertools.product(configs, list[str | None](parsls) or [None]):
        for values in itertools.product(*vary.values()):
            chosen = dict(zip(vary, values, strict=True))
            spec = {name: text for name, text in chosen.items() if name in options}
            overrides = {name: scalar(text) for name, text in chosen.items() if name not in options}
            found.append(Cell(config, parsl, spec, overrides))
    return found


def labels(matrix: Sequence[Cell]) -> list[str]:
    """A short name for each cell, also fit for a run's name."""
    found = []
    for cell in matrix:
        parts = [Path(cell.config).stem]
        if cell.parsl is not None:
            parts.append(f"Parsl {Path(cell.parsl).name}")
        parts += [f"{name}={value}" for name, value in {**cell.spec, **cell.overrides}.items()]
        found.append(", ".join(parts))
    return found


def scalar(text: str) -> Scalar:
    """A value as typed: a whole number, a number, true, false, none, or text."""
    plain = {"true": True, "false": False, "none": None}
    if text.lower() in plain:
        return plain[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
