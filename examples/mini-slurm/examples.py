#!/usr/bin/env python3
"""Submits example jobs to mini-slurm: `python3 examples.py elastic`.

A scheduler should be running, `mini-slurm scheduler`. On a machine with few CPUs `mini-slurm scheduler
--elastic-threshold 100` shows more: by the default a job grows only while less than half of the CPUs are promised.
"""

import argparse
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

# Two jobs that take what is free, and between them one that they make room for. Each starts with one CPU, so that all of
# it can be seen on a small machine.
ELASTIC = (
    ("--elastic", "--cpus", "1", "--min-cpus", "1", "--max-cpus", "8", "--mem", "512MB", "--priority", "5",
     "python3 tasks/elastic_training.py"),
    ("--cpus", "1", "--mem", "512MB", "--priority", "10",
     "python3 tasks/train_neural_network.py"),
    ("--elastic", "--cpus", "1", "--min-cpus", "1", "--max-cpus", "4", "--mem", "512MB", "--priority", "0",
     shlex.join([sys.executable, "tasks/elastic_pool.py"])),
)  # fmt: skip
EXAMPLES = {"elastic": ELASTIC}


def main():
    """Submit the jobs of the example that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("example", choices=sorted(EXAMPLES))
    parser.add_argument(
        "--pause", type=float, default=5, help="seconds for the first job to grow before the others come"
    )
    options = parser.parse_args()

    mini_slurm = shutil.which("mini-slurm") or shutil.which("mini-slurm", path=str(Path(sys.executable).parent))
    if mini_slurm is None:
        sys.exit(
            "examples.py: there is no mini-slurm on the PATH: activate the environment that perfdb is installed in."
        )
    for index, arguments in enumerate(EXAMPLES[options.example]):
        if index == 1:
            time.sleep(options.pause)
        print("mini-slurm submit", shlex.join(arguments), flush=True)
        submitted = subprocess.run([mini_slurm, "submit", *arguments], cwd=Path(__file__).resolve().parent, check=False)
        if submitted.returncode:
            sys.exit(submitted.returncode)
    print("See them with `mini-slurm queue`, and what became of one with `mini-slurm events ID`.")


if __name__ == "__main__":
    main()
