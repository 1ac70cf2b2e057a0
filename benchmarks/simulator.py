"""How long does a simulated arm take for a trace, and how much memory? The child as perfdb starts it, for each policy.

It reads a trace in the Standard Workload Format, plays it through, and tells what became of each job. The trace is made up: sizes
that are mostly powers of two, run times over five orders of magnitude, limits up to ten times as long; at a load at which queues
come and go, and at one at which they only grow.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import get_args

from figures import Figure

from perfdb.families import schedulers
from perfdb.families.schedulers.arms import Policy
from perfdb.families.schedulers.plan import VARIABLE, Delays, Plan, Workload
from perfdb.families.schedulers.workload.job import WorkJob
from perfdb.families.schedulers.workload.load import loaded
from perfdb.families.schedulers.workload.swf import write_swf
from perfdb.families.schedulers.workload.trace import trace_of_jobs

PROGRAM = Path(schedulers.__file__).parent / "child" / "simulated" / "program.py"
NODES = 1000
LOADS = (0.9, 1.1)
MOST_S = 60.0
MOST_MB = 1000.0


def main() -> None:
    """Ends with 1 where a bound is not kept to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    jobs = parser.parse_args().jobs
    figures = [figure for load in LOADS for figure in _at(load, jobs)]
    sys.exit(0 if all(figure.is_met for figure in figures) else 1)


def _at(load: float, jobs: int) -> list[Figure]:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.swf"
        path.write_text(write_swf(trace_of_jobs(made_up(jobs, load), NODES)), encoding="utf-8")
        known = loaded(str(path), nodes=NODES, seed=1, load=load, jobs=0, compress=1.0)
        workload = Workload(source=str(path), nodes=NODES, seed=1, load=load, jobs=0, compress=1.0, sha256=known.sha256)
        for policy in get_args(Policy):
            took_s, peak_mb = played(policy, workload)
            name = f"{policy}, {jobs:,} jobs at load {load:g}"
            figures += [
                Figure(name, took_s, "s", MOST_S, says=f"{jobs / took_s:,.0f} jobs/s"),
                Figure(f"{name}: memory", peak_mb, "MB", MOST_MB),
            ]
            print(*(figure.line() for figure in figures[-2:]), sep="\n", flush=True)
    return figures


def made_up(count: int, load: float) -> list[WorkJob]:
    """A trace, the same each time; arrivals are spread evenly at random over as long as makes the load."""
    chance = random.Random(f"trace {load}")
    shapes = []
    for _ in range(count):
        nodes = 2 ** chance.randint(0, 8) if chance.random() < 0.7 else chance.randint(1, NODES // 4)
        run_s = float(round(min(86_400.0, max(1.0, chance.lognormvariate(6.5, 1.8)))))
        limit_s = 60.0 * math.ceil(run_s * chance.choice((1, 1.2, 2, 5, 10)) / 60)
        shapes.append((nodes, run_s, limit_s))
    span_s = sum(nodes * run_s for nodes, run_s, _ in shapes) / NODES / load
    arrivals_s = sorted(float(int(chance.random() * span_s)) for _ in shapes)
    return [
        WorkJob(
            job=number,
            arrival_s=arrival_s,
            nodes=nodes,
            run_s=run_s,
            limit_s=limit_s,
            user=number % 50,
            experiment="trace",
        )
        for number, (arrival_s, (nodes, run_s, limit_s)) in enumerate(zip(arrivals_s, shapes, strict=True), start=1)
    ]


def played(policy: Policy, workload: Workload) -> tuple[float, float]:
    """Seconds of the child from its start to its end, and the most that it had resident, in MB of 10**6 bytes."""
    plan = Plan(
        arm=f"simulated:{policy}",
        iteration=1,
        batches=1,
        nodes=NODES,
        workload=workload,
        job="sleep",
        patience_s=1e8,
        delays=Delays(schedule_s=0.0, release_s=0.0),
    )
    begun = time.perf_counter()
    env = {**os.environ, VARIABLE: plan.model_dump_json()}
    child = subprocess.Popen([sys.executable, PROGRAM], env=env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    took_s = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"the child under {policy} ended with {child.returncode}")
    return took_s, used.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
