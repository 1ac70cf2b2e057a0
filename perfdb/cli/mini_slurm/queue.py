"""`mini-slurm queue`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from perfdb.cli.mini_slurm.jobs import job_name
from perfdb.cli.mini_slurm.told import AsJson, note, one_line, wall

if TYPE_CHECKING:
    from perfdb.minislurm.store.reading import QueueRow

# Each at least so wide, so that two queues look alike.
_LEAST = {"ID": 4, "STAT": 8, "CPU": 6, "MEM(MB)": 8, "PRI": 4, "WAIT(s)": 8, "RUN(s)": 8, "ELASTIC": 8, "SUBMIT": 19}
_LEAST_COMMAND = 20


def queue(
    all: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the jobs that run, and those that wait, in the order in which they will start.

    \b
    Examples:
      mini-slurm queue
      mini-slurm queue --all --json

    CPU is what a job starts with; ELASTIC is what an elastic one holds now, and the most that it may hold.
    """
    from perfdb.cli.terminal import print_json
    from perfdb.minislurm import client
    from perfdb.minislurm.places import Places
    from perfdb.minislurm.states import State
    from perfdb.minislurm.store.reading import Reader

    places = Places.here()
    with Reader(places) as reader:
        rows = list(reader.queue(all=all))
    if as_json:
        print_json({"jobs": [row._asdict() | {"is_elastic": bool(row.is_elastic)} for row in rows]})
    else:
        print("\n".join(table(rows, _width())))
        if any(row.state == State.PENDING for row in rows) and client.is_running(places) is None:
            note("no scheduler runs, so nothing starts: mini-slurm scheduler")


def table(rows: Iterable[QueueRow], width: int | None) -> list[str]:
    """The lines, the first with the names of the columns; commands are cut for a terminal of so many columns."""
    lines = [(*_LEAST, "COMMAND"), *map(_cells, rows)]
    columns = list(zip(*lines, strict=True))[:-1]
    widths = [max(least, *map(len, column)) for least, column in zip(_LEAST.values(), columns, strict=True)]
    room = None if width is None else width - sum(widths) - len(widths)
    if room is not None and room < _LEAST_COMMAND:
        room += width or 0  # it goes on in a second line of the terminal
    line = " ".join(f"%{size}s" for size in widths) + " %s"
    return [line % (*cells[:-1], cells[-1][:room]) for cells in lines]


def _cells(row: QueueRow) -> Sequence[str]:
    return (
        job_name(row.id, row.array_id, row.array_index),
        row.state,
        str(row.cpus),
        str(row.mem_mb),
        str(row.priority),
        f"{row.wait_s:.1f}",
        "-" if row.run_s is None else f"{row.run_s:.1f}",
        f"{row.current_cpus}/{row.max_cpus}" if row.is_elastic else "-",
        wall(row.submit_at),
        one_line(row.command),
    )


def _width() -> int | None:
    """The terminal's, None where the lines go elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None
