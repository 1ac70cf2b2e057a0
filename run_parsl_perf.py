#!/usr/bin/env python3
"""The installed command `run-parsl-perf.py`, from a checkout: `./run_parsl_perf.py parsl-configs/local_htex.py`."""

import os
import sys
from pathlib import Path

# Run by the system's Python, we go on in the environment that `make setup` made.
OURS = Path(__file__).resolve().parent / ".venv" / "bin" / "python"

if OURS.exists() and Path(sys.prefix).resolve() != OURS.parents[1].resolve():
    os.execv(OURS, [str(OURS), __file__, *sys.argv[1:]])

from perfdb.cli import run_parsl_perf

if __name__ == "__main__":
    run_parsl_perf()
