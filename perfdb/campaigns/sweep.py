"""A matrix of set-ups: every config with every Parsl and every value of options and params. Pure."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perfdb.errors import UsageError
from perfdb.parsl_config.install import sought
from perfdb.record import Scalar
from perfdb.redaction import Identity, Redactor

# Beyond this, a slip of the keyboard is likelier than a plan.
MOST_CELLS = 2000
LONGEST_LABEL = 150


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

    Raises:
        UsageError: too many of them, or a value that no record can hold.
    """
    count = math.prod([len(configs), len(parsls) or 1, *map(len, vary.values())])
    if count > MOST_CELLS:
        raise UsageError(
            f"that matrix has {count:,} set-ups, and {MOST_CELLS:,} are the most: leave some values out, or make several sweeps."
        )
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
    found: list[str] = []
    for cell in matrix:
        parts = [Path(cell.config).stem]
        if cell.parsl is not None:
            parts.append(parsl_name(cell.parsl))
        parts += [f"{name}={value}" for name, value in {**cell.spec, **cell.overrides}.items()]
        # Also the run's name: nobody chose it for that, and it may hold a host, a user, or anything.
        label = Redactor((), Identity.here()).text(
            "".join(c if c.isprintable() and c != "/" else "_" for c in ", ".join(parts))
        )
        label = label if len(label) <= LONGEST_LABEL else f"{label[:LONGEST_LABEL]}…"
        same = sum(other == label or other.startswith(f"{label} (") for other in found)
        found.append(f"{label} ({same + 1})" if same else label)
    return found


def parsl_name(typed: str) -> str:
    """A Parsl as typed, fit for a run's name: whoever checks a record takes `a@b` for a person at a host."""
    if "://" in typed:  # as a whole: in its parts, nothing tells a password from a name
        typed = sought(typed).source or ""
    path, _, ref = typed.rpartition("@") if "@" in typed else (typed, "", "")
    name = Path(path).name or Path(path).resolve().name
    return f"Parsl {name} at {ref}" if ref else f"Parsl {name}"


def scalar(text: str) -> Scalar:
    """A value as typed: a whole number, a number, true, false, none, or text.

    Raises:
        UsageError: a number that no record can hold.
    """
    plain = {"true": True, "false": False, "none": None}
    if text.lower() in plain:
        return plain[text.lower()]
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            number = kind(text)
            if not math.isfinite(number) or (kind is int and abs(number) >= 2**53):
                raise UsageError(f"{text[:40]} is no number that a record can hold exactly: give one below 2**53.")
            return number
    return text
