"""Amounts of memory as people type them."""

from __future__ import annotations

import math
import re

from perfdb.errors import UsageError

# In MB of 2**20 bytes; a bare number is MB, as in Slurm.
_UNITS_MB = {"": 1.0, "K": 2.0**-10, "M": 1.0, "G": 2.0**10, "T": 2.0**20}
_AMOUNT = re.compile(r"(\d{1,18}(?:\.\d{1,18})?)\s*([KMGT]?)(?:I?B)?", re.ASCII | re.IGNORECASE)


def memory_mb(text: str) -> int:
    """Whole MB of 2**20 bytes in `text`: 4GB, 4096, 512M, 1.5G; a fraction is rounded up.

    Raises:
        UsageError: it is no amount of memory, or none at all.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"--mem {text!r} is no amount of memory. Type a number and a unit, such as --mem 512M or --mem 4GB."
        )
    megabytes = math.ceil(float(found[1]) * _UNITS_MB[found[2].upper()])
    if megabytes < 1:
        raise UsageError(f"--mem {text} is no memory, and a job needs some. Type 1M or more, such as --mem 512M.")
    return megabytes
