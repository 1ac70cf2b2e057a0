"""Is mini-slurm quick enough? Beside a bare loop of forks and beside a real Slurm, in one run.

All of it real: the daemon that `mini-slurm scheduler` starts, its supervisors, and what keeps jobs to their limits here.
Nothing else should run meanwhile. Without Slurm on this machine its figures are left out; none of them has a bound.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from arrays import array
from batch_systems import MiniSlurm, has_slurm, mini_slurm, slurm
from figures import Figure, cpu_s, percentile

from perfdb.minislurm import process
from perfdb.minislurm.policy.cluster import Cluster, Rules, Running, Waiting
from perfdb.minislurm.policy.decide import decide
from perfdb.minislurm.states import State
from perfdb.minislurm.supervisor import journal

CPUS = len(os.sched_getaffinity(0))
# What `date` reads is the wall clock: a jump of it meanwhile would be taken for a delay.
MOST_JUMP_S = 0.001
STAMP = ("date", "+%s%N")
STAGES = ("decided", "written", "signalled", "acknowledged", "applied")
RESIZED_JOB = """
from perfdb.minislurm.job import register

job = register()
while True:
    with job.wait():
        pass
"""
# Hashing lets go of the interpreter.
FOUR_THREADS = """
import hashlib
import threading

data = bytes(1 << 20)


def burn():
    while True:
        hashlib.sha256(data)


for _ in range(4):
    threading.Thread(target=burn).start()
"""
HIGH = 10
PAUSE_S = 0.05
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Share:
    """How much of each is measured. Of `queued` jobs and `idle_s` the bounds speak; the rest makes figures steadier."""

    rounds: int = 2
    jobs: int = 2000
    slurm_jobs: int = 200
    starts: int = 50
    slurm_starts: int = 20
    resizes: int = 50
    idle_s: float = 40.0  # longer than the daemon's slow tick
    burn_s: float = 4.0
    queued: int = 10_000
    looks: int = 10


QUICK = Share(
    rounds=1, jobs=40, slurm_jobs=4, starts=3, slurm_starts=2, resizes=3, idle_s=1.0, burn_s=0.2, queued=300, looks=2
)


def measure_array(folder: Path, share: Share) -> Iterator[Figure]:
    """An array of `true`, beside a bare loop and Slurm."""
    return array(folder, share.rounds, share.jobs, share.slurm_jobs)


def starts(folder: Path, share: Share) -> Iterator[Figure]:
    """One job at a time on an idle machine: from the submission until the job itself reads the clock."""
    found: dict[str, list[float]] = {"call": [], "command": [], "bare": []}
    offset_s = time.time() - time.monotonic()
    with mini_slurm(folder) as ours:
        for index in range(share.starts):
            found["bare"].append(bare_stamp())
            for arm in ("call", "command") if index % 2 == 0 else ("command", "call"):
                time.sleep(PAUSE_S)
                began_ns = time.time_ns()
                if arm == "call":
                    job = ours.submit(*STAMP)[0]
                else:
                    job = json.loads(ours.run("submit", "--json", *STAMP))["id"]
                ours.wait(range(job, job + 1))
                found[arm].append((int(ours.places.stdout(job).read_text()) - began_ns) / 1e6)
    if has_slurm():
        with slurm(folder, 1, CPUS) as cluster:
            found["Slurm"] = []
            for _ in range(share.slurm_starts):
                time.sleep(PAUSE_S)
                began_ns = time.time_ns()
                job_id = cluster.submit(" ".join(STAMP))
                cluster.wait(job_id)
                found["Slurm"].append((int(cluster.stdout(job_id).read_text()) - began_ns) / 1e6)
    if abs(time.time() - time.monotonic() - offset_s) > MOST_JUMP_S:
        sys.exit("the wall clock jumped while starts were measured; run it again.")
    of = f"{share.starts} jobs; a bare date takes {percentile(found['bare'], 50):.1f} ms of it; p99 {percentile(found['call'], 99):.1f} ms"
    yield Figure("submit to start, p50", percentile(found["call"], 50), "ms", 20, "most", of)
    yield Figure("  from the start of `mini-slurm submit`, p50", percentile(found["command"], 50), "ms")
    if "Slurm" in found:
        yield Figure("  from the start of `sbatch`, p50", percentile(found["Slurm"], 50), "ms")


def bare_stamp() -> float:
    """Milliseconds from a spawn to the clock's reading."""
    began_ns = time.time_ns()
    return (int(subprocess.run(STAMP, capture_output=True, check=True).stdout) - began_ns) / 1e6


def resizes(folder: Path, share: Share) -> Iterator[Figure]:
    """A job that holds all CPUs shrinks by one for a job of higher priority, and grows when that is over."""
    with mini_slurm(folder, "--elastic-threshold", "100", "--cooldown", "0.1") as ours:
        job = ours.submit(sys.executable, "-c", RESIZED_JOB, cpus=CPUS, least=1)[0]
        poll_until(ours.places.answer(job).exists)
        for index in range(share.resizes):
            ours.wait(ours.submit("true", priority=HIGH))
            poll_until(lambda generation=2 * index + 2: is_applied(ours, job, generation))
        with ours.reader() as reader:
            events = reader.events(job)
    chains: dict[int, dict[str, int]] = {}
    for event in events:
        if event.kind in STAGES:
            chains.setdefault(event.generation, {})[event.kind] = event.ns
    assert len(chains) == 2 * share.resizes, chains.keys()
    # By generation: it shrinks at the odd ones.
    reaction = {n: (chain["acknowledged"] - chain["decided"]) / 1e6 for n, chain in chains.items()}
    shrinks, grows = ([ms for n, ms in reaction.items() if n % 2 == odd] for odd in (1, 0))
    for before, after in pairwise(STAGES):
        step = [(chain[after] - chain[before]) / 1e6 for chain in chains.values()]
        yield Figure(
            f"  {before} to {after}, p50", percentile(step, 50), "ms", says=f"p99 {percentile(step, 99):.2f} ms"
        )
    says = f"{share.resizes} shrinks: p50 {percentile(shrinks, 50):.2f}, worst {max(shrinks):.2f} ms; as many grows: {percentile(grows, 50):.2f}, {max(grows):.2f} ms"
    yield Figure("decision to acknowledgement, p99", percentile(list(reaction.values()), 99), "ms", 10, "most", says)


def kept(folder: Path, share: Share) -> Iterator[Figure]:
    """A job of one CPU that burns four threads, grown to all CPUs and shrunk again: what it gets, by the kernel's account."""
    got: dict[str, float] = {}
    with mini_slurm(folder, "--elastic-threshold", "100", "--cooldown", str(share.burn_s + 1)) as ours:
        job = ours.submit(sys.executable, "-c", FOUR_THREADS, cpus=CPUS, least=1)[0]
        poll_until(lambda: is_running(ours, job))
        # A rigid job of higher priority takes all CPUs but one for a while: narrow, wide, narrow.
        ours.submit("sleep", str(share.burn_s + 2), priority=HIGH, cpus=CPUS - 1)
        poll_until(lambda: cpus_of(ours, job) == 1)
        got["1"] = burnt(ours, job, share.burn_s)
        poll_until(lambda: cpus_of(ours, job) == CPUS)
        got[str(CPUS)] = burnt(ours, job, share.burn_s)
        ours.submit("sleep", str(share.burn_s + 2), priority=HIGH, cpus=CPUS - 1)
        poll_until(lambda: cpus_of(ours, job) == 1)
        got["1 again"] = burnt(ours, job, share.burn_s)
    for promised, cpus in got.items():
        number = int(promised.split()[0])
        yield Figure(f"CPUs that four threads get, of {promised}", cpus, "CPUs", number * 1.05, "most")
    yield Figure(
        "  the least share of what was promised",
        min(cpus / int(n.split()[0]) for n, cpus in got.items()),
        "",
        0.9,
        "least",
    )


def cpus_of(ours: MiniSlurm, id: int) -> int:
    """What that job holds, and has been left with."""
    with ours.reader() as reader:
        job = reader.job(id)
    assert job is not None
    return job.current_cpus if job.current_cpus == job.target_cpus else 0


def burnt(ours: MiniSlurm, id: int, window_s: float) -> float:
    """How many CPUs all its processes used over that window."""
    before_s, began_s = job_cpu_s(ours, id), time.monotonic()
    time.sleep(window_s)
    return (job_cpu_s(ours, id) - before_s) / (time.monotonic() - began_s)


def job_cpu_s(ours: MiniSlurm, id: int) -> float:
    """CPU seconds of the job's processes that live."""
    with ours.reader() as reader:
        job = reader.job(id)
    assert job is not None
    said = journal.read(ours.places.journal(id, job.attempt))
    assert said is not None and said.started is not None
    return sum(cpu_s(pid) for pid in (said.started.pid, *process.descendants(said.started.pid)))


def is_applied(ours: MiniSlurm, job: int, generation: int) -> bool:
    """Whether that resize is over."""
    with ours.reader() as reader:
        return any(event.kind == "applied" and event.generation == generation for event in reader.events(job))


def idle(folder: Path, share: Share) -> Iterator[Figure]:
    """CPU time of the daemon and its fork server while nothing happens, after they ran a job."""
    with mini_slurm(folder) as ours:
        ours.wait(ours.submit("true"))
        time.sleep(1)
        pids = [ours.pid, *ours.fork_server_pids]
        before_s, began_s = sum(map(cpu_s, pids)), time.monotonic()
        time.sleep(share.idle_s)
        used_s, passed_s = sum(map(cpu_s, pids)) - before_s, time.monotonic() - began_s
    says = f"{used_s * 1e3:.2f} ms in {passed_s:.0f} s"
    yield Figure("idle daemon and fork server", 100 * used_s / passed_s, "% of a core", 0.1, "most", says)


def queue(folder: Path, share: Share) -> Iterator[Figure]:
    """A long queue that can't move, looked through to its end in each pass: all of it is too wide to pass the head."""
    with mini_slurm(folder) as ours:
        held = ours.submit("sleep", "3600", cpus=CPUS - 1, limit_s=3600)[0]
        poll_until(lambda: is_running(ours, held))
        ours.submit("true", cpus=CPUS, array=share.queued)
        looks = []
        for _ in range(share.looks):
            began_s = time.monotonic()
            lines = ours.run("queue").count("\n")
            looks.append(time.monotonic() - began_s)
            assert lines > share.queued
        delays, used_s = [], cpu_s(ours.pid)
        for _ in range(share.looks):
            began_ns = time.time_ns()
            job = ours.submit(*STAMP, priority=HIGH)
            ours.wait(job)
            delays.append((int(ours.places.stdout(job[0]).read_text()) - began_ns) / 1e6)
        used_ms = (cpu_s(ours.pid) - used_s) / share.looks * 1e3
    decisions = [decision_ms(share.queued) for _ in range(share.looks)]
    says = f"start-up included; worst {max(looks):.2f} s"
    yield Figure(f"mini-slurm queue of {share.queued:,} jobs, p50", percentile(looks, 50), "s", 0.5, "most", says)
    says = f"a pass and all else up to the job's start; worst {max(delays):.1f} ms; {used_ms:.1f} ms of the daemon's CPU a job"
    yield Figure("submit to start beside that queue, p50", percentile(delays, 50), "ms", 50, "most", says)
    yield Figure(
        "  the policy's part of a pass, p50",
        percentile(decisions, 50),
        "ms",
        50,
        "most",
        f"worst {max(decisions):.2f} ms",
    )


def decision_ms(queued: int) -> float:
    """Milliseconds that the policy takes for such a queue, in this process."""
    wide = [Waiting(id, 0, CPUS, CPUS, CPUS, 256, None, is_elastic=False) for id in range(2, queued + 2)]
    held = Running(1, 0, CPUS - 1, CPUS - 1, CPUS - 1, CPUS - 1, 256, is_elastic=False, ends_by_s=3600)
    cluster = Cluster(CPUS, 1 << 20, wide, [held], now_s=0)
    began_s = time.monotonic()
    decisions = decide(cluster, Rules())
    took_s = time.monotonic() - began_s
    assert decisions == ()
    return took_s * 1e3


def is_running(ours: MiniSlurm, job: int) -> bool:
    """Whether that job is."""
    with ours.reader() as reader:
        found = reader.job(job)
    return found is not None and found.state == State.RUNNING


def poll_until(holds: Callable[[], bool]) -> None:
    """Wait for what nobody tells us of."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline_s:
            sys.exit(
                f"waited {PATIENCE_S:g} s for what did not happen; the scheduler is at fault, or the machine is busy."
            )
        time.sleep(PAUSE_S)


def main() -> int:
    """0 when every bound is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a little of each: shows that it runs, and measures nothing"
    )
    parser.add_argument("--only", choices=MEASURES, help="one of the measurements")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    if CPUS < 2:
        sys.exit("a job can't shrink on one CPU: measure on a machine with two or more.")
    measures = [asked.only] if asked.only else list(MEASURES)
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="minislurm-") as folder:
        for name in measures:
            print(f".. {name}", file=sys.stderr, flush=True)
            for figure in MEASURES[name](Path(folder), QUICK if asked.quick else Share()):
                found.append(figure)
                if not asked.json:
                    print(figure.line(), flush=True)
    is_met = all(figure.is_met for figure in found)
    if asked.json:
        figures = [asdict(figure) | {"is_met": figure.is_met} for figure in found]
        print(json.dumps({"cpus": CPUS, "is_quick": asked.quick, "is_met": is_met, "figures": figures}, indent=2))
    return 0 if is_met else 1


MEASURES = {"array": measure_array, "starts": starts, "resizes": resizes, "kept": kept, "idle": idle, "queue": queue}

if __name__ == "__main__":
    sys.exit(main())
