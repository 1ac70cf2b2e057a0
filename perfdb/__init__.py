"""perfdb: how fast is Parsl here, how sure are we, and what changed?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    import pandas

__version__ = "0.1.0"


def load(
    query: str | None = None,
    *,
    root: str | os.PathLike[str] | None = None,
    columns: Sequence[str] | None = None,
    retracted: bool = False,
) -> pandas.DataFrame:
    """The records as a data frame, one row each, newest first, for a notebook.

    Args:
        query: As for `perfdb list`: `"provider.max_blocks >= 8 and parsl_version > 2025.8"`. None takes all.
        root: The folder that holds perfdb.toml and the registry; found from the current one if it is not given.
        columns: Names as in a query, which become the frame's; None takes all that any record has.
        retracted: Withdrawn records too.

    Returns:
        Metrics are float64 in the unit that `frame.attrs["units"]` names, whole numbers Int64, `started_at` and
        `ended_at` UTC timestamps. Records that can't be read are left out with a warning.

    Raises:
        UsageError: the query can't be read, or asks for what no record has; or `root` is no folder.
    """
    import warnings
    from pathlib import Path

    from perfdb.errors import UsageError
    from perfdb.registry.index import Index
    from perfdb.settings import load_settings

    if root is not None and not Path(root).is_dir():
        raise UsageError(f"there is no folder {root}: name the one that holds perfdb.toml, or the checkout.")
    settings = load_settings(root=None if root is None else Path(root))
    found = Index(settings.registry_path, settings.state_path).search(query, retracted=retracted)
    for fault in (*found.faults, *([found.remark] if found.remark else [])):
        warnings.warn(str(fault), stacklevel=2)
    return found.frame(found.columns(columns))


__all__ = ["__version__", "load"]
