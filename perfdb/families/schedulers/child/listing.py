"""Tells the list of jobs that every arm gets. Runs in perfdb's own Python; its source is in PERFDB_SCHEDULERS_WORKLOAD."""

from __future__ import annotations

import os
import sys

from perfdb.errors import PerfdbError
from perfdb.families.schedulers.listing import VARIABLE, Listed, lines_of
from perfdb.families.schedulers.plan import Workload
from perfdb.families.schedulers.workload.load import made_again


def main() -> int:
    """Returns the exit code."""
    asked = Workload.model_validate_json(os.environ[VARIABLE])
    try:
        found = made_again(asked)
    except PerfdbError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for line in lines_of(Listed(found.jobs, dict(found.left_out))):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
