"""A name for a contribution's branch, which the same records always get. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from perfdb.record import Record, Remark, sha256_hex

SHORT = 8


def branch_name(records: Sequence[Record], remarks: Sequence[Remark]) -> str:
    """`results/<machine>/<date>-<short id>`.

    The date is that of the newest record in UTC; the id is the record's own where there is one, else a hash of all.
    Several machines are `several`; remarks alone are `remarks`.
    """
    ids = sorted(record.record_id for record in records) or sorted(remark.uuid for remark in remarks)
    machines = {record.environment.machine for record in records}
    where = "remarks" if not records else machines.pop() if len(machines) == 1 else "several"
    newest = max(record.started_at for record in records) if records else max(remark.at for remark in remarks)
    short = ids[0] if len(ids) == 1 else sha256_hex("\n".join(ids).encode())
    return f"results/{_part(where)}/{newest:%Y-%m-%d}-{short[:SHORT]}"


def _part(label: str) -> str:
    """A label as git takes it for a part of a branch's name."""
    return re.sub(r"\.lock$", "-lock", re.sub(r"\.{2,}", "-", label))
