"""How fast a batch system gets through an array of jobs that do nothing: mini-slurm, Slurm, and a bare loop of forks."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from batch_systems import has_slurm, mini_slurm, slurm
from figures import Figure

BARE_LOOP = Path(__file__).resolve().with_name("bare_loop.py")
CPUS = len(os.sched_getaffinity(0))


def array(folder: Path, rounds: int, jobs: int, slurm_jobs: int) -> Iterator[Figure]:
    """An array of `true`, from its submission to its last job's end; each arm in turns, forwards, then backwards."""
    clusters = {f"Slurm, 1 node of {CPUS} CPUs": (1, CPUS), "Slurm, 4 nodes of 2 CPUs": (4, 2)} if has_slurm() else {}
    arms = ["mini-slurm", "bare loop", *clusters]
    rates: dict[str, list[float]] = {arm: [] for arm in [*arms, "store"]}
    enforcement = ""
    for index in range(rounds):
        for arm in arms if index % 2 == 0 else reversed(arms):
            if arm == "mini-slurm":
                outside_s, store_s, enforcement = our_array(folder, jobs)
                rates["store"].append(jobs / store_s)
                rates[arm].append(jobs / outside_s)
            elif arm == "bare loop":
                rates[arm].append(jobs / bare_loop(folder, jobs))
            else:
                rates[arm].append(slurm_jobs / slurm_array(folder, slurm_jobs, *clusters[arm]))
            print(f".. {arm}: {rates[arm][-1]:.1f} jobs/s", file=sys.stderr, flush=True)
    what = f"array of {jobs:,} true"
    says = f"from the command's start; enforced by {enforcement}; rounds {spelled(rates['mini-slurm'])}"
    yield Figure(f"{what}, by the clock outside", statistics.fmean(rates["mini-slurm"]), "jobs/s", 100, "least", says)
    yield Figure(f"{what}, by the store's stamps", statistics.fmean(rates["store"]), "jobs/s")
    ratio = statistics.geometric_mean(a / b for a, b in zip(rates["mini-slurm"], rates["bare loop"], strict=True))
    yield Figure("share of the bare loop", 100 * ratio, "%", 25, "least", f"its jobs/s {spelled(rates['bare loop'])}")
    for arm in clusters:
        yield Figure(f"{arm}, array of {slurm_jobs}", statistics.fmean(rates[arm]), "jobs/s")


def our_array(folder: Path, jobs: int) -> tuple[float, float, str]:
    """Seconds by the clock outside and by the store, and what enforced the limits."""
    with mini_slurm(folder) as ours:
        began_s = time.monotonic()
        first = json.loads(ours.run("submit", "--json", "--array", f"0-{jobs - 1}", "true"))["id"]
        ours.wait(range(first, first + jobs))
        outside_s = time.monotonic() - began_s
        with ours.reader() as reader:
            tasks = reader.tasks(first)
    store_ns = max(task.ended_ns or 0 for task in tasks) - min(task.submit_ns for task in tasks)
    return outside_s, store_ns / 1e9, ", ".join(sorted({task.enforcement for task in tasks}))


def bare_loop(folder: Path, jobs: int) -> float:
    """Seconds, on the same disk and as many at a time."""
    exits = tempfile.mkdtemp(dir=folder)
    program = shutil.which("true")
    assert program is not None
    command = [sys.executable, "-I", "-S", str(BARE_LOOP), str(jobs), str(CPUS), exits, program]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def slurm_array(folder: Path, jobs: int, nodes: int, cpus: int) -> float:
    """Seconds."""
    with slurm(folder, nodes, cpus) as cluster:
        began_s = time.monotonic()
        cluster.wait(cluster.submit("true", f"--array=0-{jobs - 1}"))
        return time.monotonic() - began_s


def spelled(rates: Sequence[float]) -> str:
    """Each of them."""
    return ", ".join(f"{rate:.0f}" for rate in rates)
