"""Jobs under Kubernetes schedulers: a folder of logs, or the table made of one."""

from __future__ import annotations

from collections.abc import Iterator

from perfdb.registry.importers.fluence_logs import read_logs
from perfdb.registry.importers.fluence_table import read_table
from perfdb.registry.importers.imported import Options, Part
from perfdb.registry.importers.reading import existing


def read(source: str, options: Options) -> Iterator[Part]:
    """Every scheduler and experiment of a folder of logs, or of a table.

    Raises:
        UsageError: SOURCE is neither, or a table without --date.
    """
    path = existing(source)
    yield from read_logs(path, options) if path.is_dir() else read_table(path, options)
