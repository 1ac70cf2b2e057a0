"""What a run of this family says by itself, with the numbers for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from perfdb.compare.median import interval_of_median
from perfdb.families.schedulers.judge.run import Run
from perfdb.families.schedulers.measures.clog import Clog, longest_clog
from perfdb.families.schedulers.metrics import of_difference
from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.families.schedulers.samples import COLUMNS
from perfdb.record import Finding, Metric
from perfdb.registry.validator.limits import MOST_CELLS
from perfdb.units import counted, duration, quantity, significant

# Of these a run says how far an arm is from the first one, in its own words.
_TOLD = ("makespan_s", "wait_s", "turnaround_s", "bounded_slowdown", "utilisation", "jain_users", "jain_sizes")
# A scheduler that looks at its queue once in a while lets free nodes wait so long anyway.
_CLOG_S = 2.0
# What the samples of a contribution may have: see registry.validator.
MOST_ROWS, MOST_WORDS = MOST_CELLS // len(COLUMNS), 10_000


def findings_of(run: Run, metrics: Sequence[Metric]) -> Iterator[Finding]:
    """Conclusions from these arms; none where nothing was measured."""
    by_name = {metric.name: metric for metric in metrics}
    yield from _left_out(run)
    yield from _kept_here(run)
    for place, _ in enumerate(run.spec.parsed, start=1):
        seen = [one for one in run.seen if one.arm == place]
        if seen:
            yield from _simulated(run, place)
            yield from _not_fresh(run, place)
            yield from _differences(run, place, by_name)
            yield from _censored(place, seen)
            yield from _clogged(place, seen)


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


def _simulated(run: Run, place: int) -> Iterator[Finding]:
    arm = run.spec.parsed[place - 1]
    if arm.is_simulated:
        delays = run.spec.delays
        yield Finding(
            name=f"arm{place}_simulated",
            value=arm.label,
            evidence=f"nothing of it was measured: the simulator gave these numbers, with {duration(delays.schedule_s)} from when a job "
            f"can start to its start (--schedule-delay-s), {duration(delays.release_s)} until its nodes are free "
            f"(--release-delay-s) and {duration(delays.cycle_s)} from one look at the queue to the next (--schedule-cycle-s)",
        )


def _not_fresh(run: Run, place: int) -> Iterator[Finding]:
    begins = [told.begin for told in run.told if told.arm == place and told.begin is not None]
    stale = sum(not begin.fresh for begin in begins)
    if stale:
        yield Finding(
            name=f"arm{place}_not_fresh",
            value=counted(stale, "iteration"),
            evidence=f"of {len(begins)}: {run.spec.parsed[place - 1].label} had seen jobs before, which a scheduler may remember, as "
            "shares of users that it has to even out",
        )


def _differences(run: Run, place: int, by_name: Mapping[str, Metric]) -> Iterator[Finding]:
    first, arm = run.spec.parsed[0], run.spec.parsed[place - 1]
    for stem in _TOLD:
        paired = by_name.get(of_difference(place, stem, is_simulated=first.is_simulated or arm.is_simulated))
        if paired is None:
            continue
        differences = paired.all_values
        middle = quantity(median(differences), paired.unit)
        evidence = f"{_named(run, place)} less {_named(run, 1)}, median over {counted(len(differences), 'iteration')}"
        interval = interval_of_median(differences)
        both_simulated = first.is_simulated and arm.is_simulated
        if interval is not None and not both_simulated:
            ends = [quantity(end, paired.unit) for end in (interval.low, interval.high)]
            excludes = "excludes" if interval.low > 0 or interval.high < 0 else "includes"
            evidence += f", {ends[0]} to {ends[1]} with {significant(100 * interval.confidence, 3)} % confidence, which {excludes} zero"
        if both_simulated:
            evidence += "; a simulator gives the same in each, so nothing is said of chance"
        yield Finding(
            name=f"arm{place}_less_arm1_{stem.removesuffix('_s')}",
            value=f"{'' if middle.startswith('-') else '+'}{middle}",
            evidence=evidence,
        )


def _named(run: Run, place: int) -> str:
    arm = run.spec.parsed[place - 1]
    return f"{arm.label} (simulated)" if arm.is_simulated else arm.label


def _censored(place: int, seen: Sequence[ArmRun]) -> Iterator[Finding]:
    cut = [(one, outcome) for one in seen for outcome in one.outcomes if outcome.is_censored]
    if not cut:
        return
    waiting = sum(outcome.began_s is None for _, outcome in cut)
    one, first = cut[0]
    yield Finding(
        name=f"arm{place}_censored",
        value=counted(len(cut), "job"),
        evidence=f"of {sum(len(each.outcomes) for each in seen)}: {waiting} had not begun and {len(cut) - waiting} were not over when "
        f"watching was; first job {first.work.job} ({first.work.experiment}) of iteration {one.iteration}, after "
        f"{duration((first.seen_until_s or 0.0) - (first.submitted_s or 0.0))}. Their times are lower bounds: means are left out",
    )


def _clogged(place: int, seen: Sequence[ArmRun]) -> Iterator[Finding]:
    found = [(one, clog) for one in seen if (clog := longest_clog(one.outcomes)) is not None]
    if not found:
        return
    one, clog = max(found, key=lambda each: each[1].lasted_s)
    if clog.lasted_s < _CLOG_S:
        return
    least = "at least " if clog.is_open else ""
    yield Finding(
        name=f"arm{place}_clog",
        value=f"{least}{duration(clog.lasted_s)}, job {clog.head[1]}",
        evidence=f"iteration {one.iteration}, from {duration(clog.from_s)} to {duration(clog.until_s)}: nothing began while "
        f"{counted(clog.waiting, 'job')} waited and {counted(_free(one, clog), 'node')} had no job, at their head {_head(one, clog)}",
    )


def _free(one: ArmRun, clog: Clog) -> int:
    """Nodes that nobody held in the middle of it."""
    middle_s = (clog.from_s + clog.until_s) / 2
    held = 0
    for outcome in one.outcomes:
        since = outcome.allocated_s if outcome.allocated_s is not None else outcome.began_s
        until = outcome.released_s if outcome.released_s is not None else outcome.over_s
        if since is not None and since <= middle_s and (until is None or until > middle_s):
            held += outcome.work.nodes
    return max(0, one.nodes - held)


def _head(one: ArmRun, clog: Clog) -> str:
    head: Outcome = next(o for o in one.outcomes if (o.batch, o.work.job) == clog.head)
    return f"job {head.work.job} ({head.work.experiment}), which asks for {counted(head.work.nodes, 'node')} of {one.nodes}"
