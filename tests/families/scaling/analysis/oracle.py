"""Services of a known ceiling, as cells."""

from __future__ import annotations

from collections.abc import Callable

from perfdb.families.scaling.analysis.cells import Cell, Criterion
from perfdb.families.scaling.analysis.search import Search, next_try

WAIT_S = 1.0
BOUND_S = Criterion().p99_bound_s(WAIT_S)
Oracle = Callable[[int], Cell]


def cell(
    load: float,
    p99_s: float | None = 1.1,
    success: float = 1.0,
    *,
    repetition: int = 1,
    valid: bool = True,
    wait_s: float = WAIT_S,
) -> Cell:
    """A cell that meets the criterion unless told otherwise."""
    return Cell(load=load, wait_s=wait_s, repetition=repetition, success_share=success, p99_s=p99_s, valid=valid)


def passes(load: float, **more: int) -> Cell:
    """A clear pass."""
    return cell(load, BOUND_S / 2, **more)


def fails(load: float, **more: int) -> Cell:
    """A clear failure."""
    return cell(load, BOUND_S * 2, **more)


def searched(search: Search, oracle: Oracle, tried: list[Cell] | None = None) -> list[Cell]:
    """Every cell of a search, until it ends; an endless one is an error."""
    found = list(tried or [])
    while (load := next_try(search, found)) is not None:
        found.append(oracle(load))
        assert len(found) <= search.tries, "it never ends"
    return found
