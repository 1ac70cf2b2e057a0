"""What a table beside a picture is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Rows of texts; the first of each is what the row is of."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
