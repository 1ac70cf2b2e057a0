"""What a run of this family says by itself, with the numbers for it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from perfdb.compare.median import interval_of_median
from perfdb.families.schedulers.judge.run import Run
from perfdb.families.schedulers.measures.clog import Clog, longest_clogs
from perfdb.families.schedulers.metrics import of_arm, of_difference
from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.families.schedulers.samples import COLUMNS
from perfdb.families.schedulers.workload.job import digest
from perfdb.record import Finding, Metric
from perfdb.registry.validator.limits import MOST_CELLS
from perfdb.units import counted, duration, quantity, significant

# Of these a run says how far an arm is from the first one, in its own words.
_TOLD = (
    "makespan_s", "wait_s", "turnaround_s", "total_time_s", "bounded_slowdown", "utilisation", "held_idle_node_s",
    "jain_users", "jain_sizes", "completed_share", "longest_clog_s",
)  # fmt: skip
# A scheduler that looks at its queue once in a while lets free nodes wait so long anyway.
_CLOG_S = 2.0
# So many of an iteration's longest times without a start are looked at for one that a job was to blame for.
_MOST_CLOGS = 20
# With less, an interval that excludes zero is no news: of two values each does that are on one side.
_SURE = 0.9
_LONGEST_SETTINGS = 800
# What the samples of a contribution may have: see registry.validator.
MOST_ROWS, MOST_WORDS = MOST_CELLS // len(COLUMNS), 10_000


def findings_of(run: Run, metrics: Sequence[Metric]) -> Iterator[Finding]:
    """Conclusions from these arms; none where nothing was measured."""
    by_name = {metric.name: metric for metric in metrics}
    yield from _workload(run)
    yield from _left_out(run)
    yield from _kept_here(run)
    yield from _gone_on(run)
    seen = {place: [one for one in run.seen if one.arm == place] for place, _ in enumerate(run.spec.parsed, start=1)}
    for place in filter(seen.get, seen):
        yield _arm(run, place)
        yield from _not_fresh(run, place)
    for place in filter(seen.get, seen):
        yield from _differences(run, place, by_name)
        yield from _censored(run, place, seen[place])
        yield from _clogged(run, place, seen[place])


def _workload(run: Run) -> Iterator[Finding]:
    if run.jobs and run.told:
        least, most = min(job.nodes for job in run.jobs), max(job.nodes for job in run.jobs)
        wide = f"{least}" if least == most else f"{least} to {most}"
        yield Finding(
            name="workload",
            value=f"{counted(len(run.jobs), 'job')}, list {digest(run.jobs)[:12]}",
            evidence=f"on {wide} nodes, that arrive within {duration(run.span_s)}; every arm was to get this list "
            f"{counted(run.spec.batches, 'time')} in each iteration",
        )


def _left_out(run: Run) -> Iterator[Finding]:
    left_out = run.listed.left_out
    if left_out:
        yield Finding(
            name="jobs_left_out",
            value=counted(sum(left_out.values()), "job"),
            evidence="of the trace, in no arm: "
            + "; ".join(f"{counted(count, 'job')} with {reason}" for reason, count in left_out.items())[:1500],
        )


def _kept_here(run: Run) -> Iterator[Finding]:
    """Of a run so long that nobody who gets its record could check it."""
    rows = sum(run.spec.batches + len(one.outcomes) for one in run.seen)
    nodes = len({outcome.nodes for one in run.seen for outcome in one.outcomes})
    if rows > MOST_ROWS or nodes > MOST_WORDS:
        yield Finding(
            name="stays_here",
            value=counted(rows, "sample"),
            evidence=f"with {nodes:,} different sets of nodes, where {MOST_ROWS:,} and {MOST_WORDS:,} are the most that others can be asked "
            "to check: the record stays on this machine, and no table or chart is made of its jobs. For some of them run fewer (--jobs)",
        )


def _gone_on(run: Run) -> Iterator[Finding]:
    if run.pauses:
        longest = max(run.pauses, key=lambda pause: pause.lasted_s)
        yield Finding(
            name="gone_on",
            value=counted(len(run.pauses), "interruption"),
            evidence=f"the longest after {longest.after}, of {duration(longest.lasted_s)}: turns before and after it lie that far apart, "
            "so what changed on the machine meanwhile may be taken for a difference of schedulers",
        )


def _arm(run: Run, place: int) -> Finding:
    """Who it is: metrics name it by its place."""
    arm, delays = run.spec.parsed[place - 1], run.spec.delays
    if arm.is_simulated:
        evidence = (
            f"nothing of it was measured: the simulator gave these numbers, with {duration(delays.schedule_s)} from when a job "
            f"can start to its start (--schedule-delay-s), {duration(delays.release_s)} until its nodes are free "
            f"(--release-delay-s) and {duration(delays.cycle_s)} from one look at the queue to the next (--schedule-cycle-s)"
        )
    else:
        begin = next(told.begin for told in run.told if told.arm == place and told.begin is not None)
        settings = ", ".join(f"{name} {value}" for name, value in sorted(begin.settings.items()))
        evidence = f"{arm.kind} {begin.version}; {settings or 'no settings told'}"[:_LONGEST_SETTINGS]
    return Finding(name=_named_by(run, place), value=arm.label, evidence=evidence)


def _named_by(run: Run, place: int) -> str:
    """What names of metrics and findings of that arm begin with."""
    return of_arm(place, "", is_simulated=run.spec.parsed[place - 1].is_simulated).removesuffix("_")


def _not_fresh(run: Run, place: int) -> Iterator[Finding]:
    begins = [told.begin for told in run.told if told.arm == place and told.begin is not None]
    stale = sum(not begin.fresh for begin in begins)
    if stale:
        yield Finding(
            name=f"{_named_by(run, place)}_not_fresh",
            value=counted(stale, "iteration"),
            evidence=f"of {len(begins)}: {run.spec.parsed[place - 1].label} had seen jobs before, which a scheduler may remember, as "
            "shares of users that it has to even out",
        )


def _differences(run: Run, place: int, by_name: Mapping[str, Metric]) -> Iterator[Finding]:
    first, arm = run.spec.parsed[0], run.spec.parsed[place - 1]
    for figure in _TOLD:
        name = of_difference(place, figure, is_simulated=first.is_simulated or arm.is_simulated)
        paired = by_name.get(name)
        if paired is None:
            continue
        differences = paired.all_values
        middle = quantity(median(differences), paired.unit)
        evidence = f"{_named(run, place)} less {_named(run, 1)}, median over {counted(len(differences), 'iteration')}"
        interval = interval_of_median(differences)
        # A simulator gives the same each time: of two of them chance has nothing to say.
        if interval is not None and not (first.is_simulated and arm.is_simulated):
            ends = [quantity(end, paired.unit) for end in (interval.low, interval.high)]
            evidence += f", {ends[0]} to {ends[1]} with {significant(100 * interval.confidence, 3)} % confidence"
            if interval.confidence >= _SURE:
                evidence += f", which {'excludes' if interval.low > 0 or interval.high < 0 else 'includes'} zero"
        yield Finding(
            name=name.removesuffix("_s"), value=f"{'' if middle.startswith('-') else '+'}{middle}", evidence=evidence
        )


def _named(run: Run, place: int) -> str:
    arm = run.spec.parsed[place - 1]
    return f"{arm.label} (simulated)" if arm.is_simulated else arm.label


def _censored(run: Run, place: int, seen: Sequence[ArmRun]) -> Iterator[Finding]:
    cut = [(one, outcome) for one in seen for outcome in one.outcomes if outcome.is_censored]
    if not cut:
        return
    waiting = sum(outcome.began_s is None for _, outcome in cut)
    one, first = cut[0]
    yield Finding(
        name=f"{_named_by(run, place)}_censored",
        value=counted(len(cut), "job"),
        evidence=f"of {sum(len(each.outcomes) for each in seen)}: {waiting} had not begun and {len(cut) - waiting} were not over when "
        f"watching was; first job {first.work.job} ({first.work.experiment}) of iteration {one.iteration}, after "
        f"{duration((first.seen_until_s or 0.0) - (first.submitted_s or 0.0))}. Their times are lower bounds: means are left out",
    )


def _clogged(run: Run, place: int, seen: Sequence[ArmRun]) -> Iterator[Finding]:
    """The longest time in which nothing began although nodes were free, or that did not end."""
    longest = [
        next((clog for clog in longest_clogs(one.outcomes, _MOST_CLOGS) if clog.is_open or _free(one, clog)), None)
        for one in seen
    ]
    found = [(one, clog) for one, clog in zip(seen, longest, strict=True) if clog is not None]
    if not found:
        return
    one, clog = max(found, key=lambda each: each[1].lasted_s)
    if clog.lasted_s < _CLOG_S:
        return
    free = _free(one, clog)
    blocking = _head(one, clog) if free else _holder(one, clog)
    if free:
        why = f"{counted(free, 'node')} had no job, at their head {_called(blocking)}, which asks for"
    else:
        why = f"every node had a job, the longest {_called(blocking)}, which has"
    least = "at least " if clog.is_open else ""
    yield Finding(
        name=f"{_named_by(run, place)}_clog",
        value=f"{least}{duration(clog.lasted_s)}, job {blocking.work.job}",
        evidence=f"iteration {one.iteration}, from {duration(clog.from_s)} to {duration(clog.until_s)}: nothing began while "
        f"{counted(clog.waiting, 'job')} waited and {why} {counted(blocking.work.nodes, 'node')} of {one.nodes}",
    )


def _free(one: ArmRun, clog: Clog) -> int:
    """Nodes that nobody held in the middle of it."""
    return max(0, one.nodes - sum(outcome.work.nodes for outcome, *_ in _holding(one, clog)))


def _holding(one: ArmRun, clog: Clog) -> Iterator[tuple[Outcome, float, float]]:
    """The jobs that had nodes in the middle of it, and from when to when."""
    middle_s = (clog.from_s + clog.until_s) / 2
    for outcome in one.outcomes:
        since = outcome.allocated_s if outcome.allocated_s is not None else outcome.began_s
        until = outcome.released_s if outcome.released_s is not None else outcome.over_s
        if since is not None and since <= middle_s and (until is None or until > middle_s):
            yield outcome, since, math.inf if until is None else until


def _holder(one: ArmRun, clog: Clog) -> Outcome:
    """Of the jobs that had the nodes then, the one that kept them for longest."""
    return max(_holding(one, clog), key=lambda held: held[2] - held[1])[0]


def _head(one: ArmRun, clog: Clog) -> Outcome:
    return next(o for o in one.outcomes if (o.batch, o.work.job) == clog.head)


def _called(outcome: Outcome) -> str:
    return f"job {outcome.work.job} ({outcome.work.experiment})"
