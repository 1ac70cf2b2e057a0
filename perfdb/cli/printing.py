"""What every listing is printed with: a console, a table, and text of others that cannot command either."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from perfdb.cli.terminal import printable


def shown_path(path: Path) -> str:
    """Relative to where the user works, if it lies below."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def new_console() -> Console:
    """As wide as the terminal; a pipe has no width to fit into."""
    return Console(
        highlight=False, soft_wrap=True, width=None if sys.stdout is not None and sys.stdout.isatty() else 200
    )


def new_table(first: str, *columns: str) -> Table:
    """Its columns' heads, without a frame; no cell of the first column is ever cut off."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True, overflow="fold", min_width=16)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def coloured(status: str) -> str:
    """A status in the colour that says how good it is."""
    colour = {"ok": "green", "invalid": "yellow"}.get(status, "red")
    return f"[{colour}]{plain(status)}[/{colour}]"


def plain(text: str) -> str:
    """A stranger's text, unable to colour, move or erase anything."""
    return escape(printable(text))
