"""From what the children said to the measurements. Pure, and content with logs that end anywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from perfdb.families.base import ChildRun, Measurements, Setup
from perfdb.families.throughput.bound import bounded_by
from perfdb.families.throughput.latency import ProbeAnswers, read_answers, summarise
from perfdb.families.throughput.measure import PROBE
from perfdb.families.throughput.metrics import METRICS
from perfdb.families.throughput.parse import Iteration, ParslPerfOutput, parse
from perfdb.families.throughput.spec import ThroughputSpec
from perfdb.platforms import ON_SUBMIT_HOST, Job
from perfdb.processes.event_log import LONGEST_LOG
from perfdb.processes.log import ChildLog
from perfdb.record import Check, Finding, Host, Metric, Scalar, Status
from perfdb.units import bytes_

# A rate over less than this is mostly start and end effects.
SHORTEST_WARM_S = 1.0
# Of a line in a child's log, besides its text.
_LINE_BYTES = 60
_MEASURE_LONGER = ": measure longer, with --time or --iterate"


@dataclass(frozen=True)
class Repetition:
    """One parsl-perf: its output and the jobs it submitted."""

    number: int
    run: ChildRun
    output: ParslPerfOutput

    @property
    def warm(self) -> tuple[Iteration, ...]:
        """All iterations but the first."""
        return self.output.iterations[1:]


def assemble(spec: ThroughputSpec, setup: Setup | None, runs: Sequence[ChildRun]) -> Measurements:
    """Everything that those children's logs say."""
    reps = [
        Repetition(number, run, parse(run.log.stdout))
        for number, run in enumerate((r for r in runs if _is_repetition(r.log)), 1)
    ]
    probe_run = next((r for r in runs if not _is_repetition(r.log)), None)
    probe = read_answers(probe_run.log.stdout) if probe_run else ProbeAnswers()
    checks = _checks(spec, setup, reps, probe_run, probe)
    status, reason = _status(spec, reps, probe_run, probe, checks)
    workers = tuple(host for host in map(_worker, probe.workers) if host is not None)
    return Measurements(
        status=status,
        reason=reason,
        metrics=(*_per_repetition(reps), *_per_iteration(reps), *summarise(probe.samples)),
        checks=checks,
        findings=_findings(reps, setup, workers),
        samples=probe.samples if probe.samples["task"] else {},
        workers=workers,
    )


def _is_repetition(log: ChildLog) -> bool:
    return not log.name.endswith(PROBE)


def _worker(facts: Mapping[str, object]) -> Host | None:
    try:
        return Host.model_validate(facts)
    except ValidationError:
        return None


def _metric(name: str, values: Sequence[float]) -> tuple[Metric, ...]:
    definition = METRICS[name]
    if not values:
        return ()
    return (Metric(name=name, unit=definition.unit, direction=definition.direction, values=tuple(values)),)


def _per_repetition(reps: Sequence[Repetition]) -> tuple[Metric, ...]:
    """One value for each repetition that got that far."""
    begun = [rep for rep in reps if rep.output.iterations]
    warm = [rep.warm for rep in begun if rep.warm]
    cold = [rep.output.iterations[0].run_s for rep in begun]
    waits = [(rep, _queue_wait(rep.run.jobs)) for rep in begun]
    queued = [(rep.output.iterations[0].run_s, wait) for rep, wait in waits if wait is not None]
    return (
        *_metric("warm_tasks_per_s", [_tasks(its) / _run_s(its) for its in warm]),
        *_metric("submission_tasks_per_s", [_tasks(its) / _submission_s(its) for its in warm]),
        *_metric("cold_start_s", cold),
        *_metric("queue_wait_s", [wait for _, wait in queued]),
        *_metric("start_up_s", [max(0.0, cold_s - wait) for cold_s, wait in queued]),
        *_metric("run_time_s", [_run_s(rep.output.iterations) for rep in begun]),
        *_metric("task_count", [_tasks(rep.output.iterations) for rep in begun]),
        *_metric("iteration_count", [len(rep.output.iterations) for rep in begun]),
        *_metric("submission_share", [_submission_s(its) / _run_s(its) for its in warm]),
        *_metric("cpu_s", [rep.run.log.exit.cpu_s for rep in begun if rep.run.log.exit.cpu_s > 0]),
    )


def _per_iteration(reps: Sequence[Repetition]) -> tuple[Metric, ...]:
    return tuple(
        Metric(
            name=name,
            unit=METRICS[name].unit,
            direction=METRICS[name].direction,
            value=value,
            step=iteration.number,
            repetition=rep.number,
        )
        for rep in reps
        for iteration in rep.output.iterations
        for name, value in (
            ("iteration_tasks_per_s", iteration.tasks_per_s),
            ("iteration_submission_tasks_per_s", iteration.submission_tasks_per_s),
            ("iteration_run_time_s", iteration.run_s),
            ("iteration_task_count", iteration.task_count),
        )
    )


def _tasks(iterations: Sequence[Iteration]) -> int:
    return sum(iteration.task_count for iteration in iterations)


def _run_s(iterations: Sequence[Iteration]) -> float:
    return math.fsum(iteration.run_s for iteration in iterations)


def _submission_s(iterations: Sequence[Iteration]) -> float:
    return math.fsum(iteration.submission_s for iteration in iterations)


def _queue_wait(jobs: Sequence[Job]) -> float | None:
    """The wait of the job that started first: the cold iteration waits for no more than that."""
    waits = [(job.started.at, job.queue_wait_s) for job in jobs if job.started and job.queue_wait_s is not None]
    return min(waits)[1] if waits else None


def _checks(
    spec: ThroughputSpec,
    setup: Setup | None,
    reps: Sequence[Repetition],
    probe_run: ChildRun | None,
    probe: ProbeAnswers,
) -> tuple[Check, ...]:
    shortest = min((_run_s(rep.warm) for rep in reps), default=0.0)
    whole = sum(rep.output.complete and rep.run.log.exit.code == 0 for rep in reps)
    checks = [
        Check(
            name="every_repetition_complete",
            passed=whole == spec.reps,
            detail=f"{whole} of {spec.reps} repetitions came to their end",
        ),
        Check(
            name="warm_long_enough",
            passed=shortest >= SHORTEST_WARM_S,
            detail=f"the shortest warm run time of a repetition is {shortest:.2f} s, at least {SHORTEST_WARM_S:g} s is asked"
            f"{_MEASURE_LONGER if whole == spec.reps and shortest < SHORTEST_WARM_S else ''}",
        ),
    ]
    if setup is not None:
        checks.append(
            Check(
                name="monitoring_off",
                passed=not setup.config.monitoring,
                detail="Parsl's monitoring costs throughput several times over and must be off in the config",
            )
        )
    if probe_run is not None:
        told = f"{len(probe.samples['task'])} task latencies from {len(probe.workers)} distinct workers' environments"
        checks.append(Check(name="probe_complete", passed=probe.complete and probe_run.log.exit.code == 0, detail=told))
    return tuple(checks)


def _status(
    spec: ThroughputSpec,
    reps: Sequence[Repetition],
    probe_run: ChildRun | None,
    probe: ProbeAnswers,
    checks: Sequence[Check],
) -> tuple[Status, str | None]:
    """The status and, unless it is ok, why in one paragraph."""
    for run in [*(rep.run for rep in reps), *([probe_run] if probe_run else [])]:
        match run.log.exit.reason:
            case "timeout":
                return "timeout", f"the time limit ended {run.log.name} after {run.log.exit.t:.1f} s"
            case "stopped" | "abandoned" | "lost":
                return "interrupted", f"{run.log.name} was interrupted after {run.log.exit.t:.1f} s"
            case "ended":
                pass
    for rep in reps:
        why = _why_failed(rep)
        if why:
            return "failed", why
    if len(reps) < spec.reps or (spec.probe and probe_run is None):
        return "interrupted", f"perfdb was interrupted after {len(reps)} of {spec.reps} repetitions"
    if probe_run is not None and not (probe.complete and probe_run.log.exit.code == 0):
        return "failed", f"the latency probe {_ending(probe_run.log)}"
    failed = [check for check in checks if not check.passed]
    if failed:
        return "invalid", "; ".join(f"{check.name}: {check.detail}" for check in failed)
    return "ok", None


def _why_failed(rep: Repetition) -> str | None:
    output, log = rep.output, rep.run.log
    if log.exit.code != 0:
        return f"in repetition {rep.number} parsl-perf {_ending(log)}"
    if output.not_understood is not None:
        return (
            f"parsl-perf printed a line that is not understood in repetition {rep.number}: {output.not_understood[:300]!r}, "
            f"where {output.expected!r} belongs"
        )
    if not output.complete and sum(len(line.text) + _LINE_BYTES for line in log.lines) > 0.9 * LONGEST_LOG:
        return (
            f"repetition {rep.number} printed more than the {bytes_(LONGEST_LOG)} that are kept, so its end is not known: have "
            "the config and the tasks print less"
        )
    if not output.complete:
        return (
            f"parsl-perf ended in the middle of its output in repetition {rep.number}, after {log.last_words()[:300]!r}"
        )
    return None


def _ending(log: ChildLog) -> str:
    code = log.exit.code
    how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
    return f"{how}; its last words: {log.last_words()[:600] or 'none'}"


def _findings(reps: Sequence[Repetition], setup: Setup | None, workers: Sequence[Host]) -> tuple[Finding, ...]:
    warm = [iteration for rep in reps for iteration in rep.warm]
    if not warm or setup is None:
        return ()
    longest = max(warm, key=lambda iteration: iteration.run_s)
    here = all(executor.provider_class in {None, *ON_SUBMIT_HOST} for executor in setup.config.executors)
    submit_host = setup.host.pseudonym
    below = bool(workers and submit_host) and all(worker.pseudonym == submit_host for worker in workers)
    slots = worker_slots(setup.config.params)
    return (bounded_by(longest, setup.cores, slots, workers_here=here, below_a_scheduler=below),)


def worker_slots(params: Mapping[str, Scalar]) -> int | None:
    """How many workers those params allow on one executor, or None where they don't say."""
    threads = params.get("executor.max_threads")
    if isinstance(threads, int):
        return threads
    factors = [
        params.get(k) for k in ("executor.max_workers_per_node", "provider.nodes_per_block", "provider.max_blocks")
    ]
    if all(isinstance(f, (int, float)) and math.isfinite(f) for f in factors):
        return math.prod(int(f) for f in factors if isinstance(f, (int, float)))
    return None
