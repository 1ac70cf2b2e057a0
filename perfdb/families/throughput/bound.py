"""What bounded a run: the statement without which a rate is easily misread, with its evidence.

On Parsl the submitting process is often the limit: then more nodes change nothing, and the number says
little about the cluster. The rules, in order:

1. submission: the submit loop took at least 80 % of the run, so results came as fast as tasks were submitted;
2. workers: they used at least 80 % of the CPU time that their own number, or the host they share with us, allows;
3. cores: with the workers on the submit host, all processes there together used at least 80 % of its CPUs;
4. dispatch: the main process or the interchange used at least 80 % of one core;
5. otherwise undetermined: nothing that was looked at was busy.
"""

from __future__ import annotations

from perfdb.families.throughput.parse import Iteration
from perfdb.record import Finding

BUSY = 0.8


def bounded_by(
    iteration: Iteration,
    cores: int | None,
    worker_slots: int | None,
    *,
    workers_here: bool,
    below_a_scheduler: bool = False,
) -> Finding:
    """The finding for one warm iteration, the longest.

    Args:
        iteration: With its CPU seconds by role, if they were sampled.
        cores: CPUs that the submit host grants.
        worker_slots: Worker processes there can be at most; None when unknown.
        workers_here: Whether the workers run on the submit host, where their CPU time is seen.
        below_a_scheduler: Whether they run there as a scheduler's jobs, whose CPU time is not seen.
    """
    share = iteration.submission_s / iteration.run_s
    busy = {role: seconds / iteration.run_s for role, seconds in (iteration.cpu_s or {}).items()}
    limits = [n for n in (worker_slots, cores) if n]
    used = busy.get("workers", 0.0)
    if share >= BUSY:
        value = "submission"
    elif workers_here and used and limits and used >= BUSY * min(limits):
        value = "workers"
    elif workers_here and cores and cores > 1 and sum(busy.values()) >= BUSY * cores:
        value = "cores"
    elif max(busy.get("main", 0.0), busy.get("interchange", 0.0)) >= BUSY:
        value = "dispatch"
    else:
        value = "undetermined"
    workers = f"at most {worker_slots} workers on it" if workers_here and worker_slots else ""
    if not workers_here:
        workers = _BELOW if below_a_scheduler else "the workers ran elsewhere, where their CPU time was not seen"
    return Finding(name="bounded_by", value=value, evidence=_evidence(iteration, share, busy, cores, workers))


_BELOW = "the workers ran on this host, below the scheduler; their CPU time was not counted"


def _evidence(iteration: Iteration, share: float, busy: dict[str, float], cores: int | None, workers: str) -> str:
    parts = [f"submitting took {share:.0%} of iteration {iteration.number} ({iteration.run_s:.2f} s)"]
    if busy:
        roles = ", ".join(f"{role} {cpus:.2f}" for role, cpus in sorted(busy.items()))
        parts.append(
            f"CPUs in use on the submit host: {roles}, together {sum(busy.values()):.2f} of {cores or 'unknown'}"
        )
    else:
        parts.append("CPU time was not sampled")
    return "; ".join([*parts, workers] if workers else parts)
