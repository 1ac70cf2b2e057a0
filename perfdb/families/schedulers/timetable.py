"""One iteration's jobs on their nodes, for a chart: each job where they are few, else how many nodes were in use. Pure."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from perfdb.families.gantt import Gantt, Level, Panel, Span, Turn
from perfdb.families.schedulers.alike import Alike
from perfdb.families.schedulers.outcome import ArmRun, Outcome
from perfdb.units import counted, duration

# Beyond these, no bar can be told from the next.
MOST_NODES, MOST_JOBS = 64, 2000
LEVELS = 200
# The part of the whole time below which a bar is a hair.
THINNEST = 400
_RANGE = re.compile(r"([0-9]{1,7})(?:-([0-9]{1,7}))?")


def middle_iteration(runs: Sequence[ArmRun]) -> int:
    """Of those with the most arms, the one whose arms together took a median time; the lower one of two.

    Args:
        runs: At least one.
    """
    if len({run.iteration for run in runs}) == 1:
        return runs[0].iteration  # such as that of a long trace
    took: dict[int, list[float]] = {}
    for run in runs:
        took.setdefault(run.iteration, []).append(until_s(run))
    most = max(map(len, took.values()))
    whole = [iteration for iteration, times in took.items() if len(times) == most]
    ordered = sorted(whole, key=lambda iteration: (sum(took[iteration]), iteration))
    return ordered[(len(ordered) - 1) // 2]


def until_s(run: ArmRun) -> float:
    """When the last of its jobs had let go of its nodes, or was no longer watched; seconds since its begin."""
    last = 0.0
    for job in run.outcomes:
        last = max(last, _held(job)[1], job.over_s or 0.0)
    return last


def timetable(runs: Sequence[ArmRun], remarks: Sequence[str] = ()) -> Gantt:
    """A panel for each arm.

    Args:
        runs: Of one iteration.
    """
    alike = Alike(job for run in runs for job in run.outcomes)
    panels = []
    left_out: dict[str, list[str]] = {}
    for run in sorted(runs, key=lambda run: run.arm):
        end_s = until_s(run)
        why = _too_much(run, end_s)
        if why:
            left_out.setdefault(why, []).append(run.label)
            levels = tuple(_levels(run, alike, end_s))
            panels.append(Panel(run.label, _told(run, end_s), run.nodes, (), (), levels, end_s))
        else:
            spans, turns = tuple(_spans(run, alike)), tuple(_turns(run, alike))
            panels.append(Panel(run.label, _told(run, end_s), run.nodes, spans, turns, (), end_s))
    told = [f"Jobs are not drawn one by one: {why} ({', '.join(labels)})." for why, labels in left_out.items()]
    return Gantt("node", "job", alike.names, tuple(panels), (*remarks, *told))


def _told(run: ArmRun, end_s: float) -> str:
    jobs = counted(len(run.outcomes), "job")
    left = sum(job.is_censored for job in run.outcomes)
    return f"{f'{left:,} of {jobs} not over after' if left else f'{jobs} in'} {duration(end_s)}"


def _too_much(run: ArmRun, end_s: float) -> str:
    if run.nodes > MOST_NODES:
        return f"there are more than {MOST_NODES} nodes"
    if len(run.outcomes) > MOST_JOBS:
        return f"there are more than {MOST_JOBS:,} of them"
    held = sorted(until - begin for begin, until in map(_held, run.outcomes) if until > begin)
    if held and held[len(held) // 2] * THINNEST < end_s:
        return "most are too short to be seen"
    unknown = [job for job in run.outcomes if job.began_s is not None and not ranges_of(job.nodes, run.nodes)]
    return "nobody says which nodes they had" if unknown else ""


def ranges_of(text: str, nodes: int) -> tuple[tuple[int, int], ...]:
    """`0-2,5` as ((0, 2), (5, 5)); nothing where these are not some of so many nodes."""
    found = []
    for part in text.split(",", nodes):
        match = _RANGE.fullmatch(part)
        if match is None:
            return ()
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last < nodes:
            return ()
        found.append((first, last))
    return tuple(found)


def _held(job: Outcome) -> tuple[float, float]:
    """From when until when it had its nodes, as far as anybody knows; empty at its submission where it never had any."""
    begin = job.began_s if job.allocated_s is None else job.allocated_s
    if begin is None:
        at = job.submitted_s or 0.0
        return at, at
    end = job.over_s if job.released_s is None else job.released_s
    if end is None:
        end = job.seen_until_s
    return begin, begin if end is None else max(begin, end)


def _spans(run: ArmRun, alike: Alike) -> Iterator[Span]:
    for job in sorted(run.outcomes, key=_held):
        ranges = ranges_of(job.nodes, run.nodes)
        if not ranges:
            continue
        held, ran = _held(job), None
        if job.began_s is not None:
            end = held[1] if job.over_s is None else job.over_s
            ran = job.began_s, max(job.began_s, end)
            held = min(held[0], ran[0]), max(held[1], ran[1])
        short = f"{job.work.job} …" if job.is_censored else str(job.work.job)
        yield Span(_label(job), short, alike.of(job), ranges, held, ran, not job.is_censored)


def _label(job: Outcome) -> str:
    batch = f", batch {job.batch}" if job.batch > 1 else ""
    return f"job {job.work.job}{batch}"


def _turns(run: ArmRun, alike: Alike) -> Iterator[Turn]:
    """Which of the jobs that waited had been submitted first, as long as it was the same one."""
    waits = {}
    for job in run.outcomes:
        begin, end = job.submitted_s, _left_queue(job)
        if begin is not None and end is not None and end > begin:
            waits[begin, job.batch, job.work.job] = job, end
    queue: list[tuple[float, int, int]] = []
    coming = sorted(waits)[::-1]
    since: dict[tuple[float, int, int], float] = {}
    for at, until in pairwise(sorted({at for key, (_, end) in waits.items() for at in (key[0], end)})):
        while coming and coming[-1][0] <= at:
            heapq.heappush(queue, coming.pop())
        while queue and waits[queue[0]][1] <= at:
            heapq.heappop(queue)
        if queue:
            job, end = waits[queue[0]]
            begin = since.setdefault(queue[0], at)
            # Those who came later are behind it, so it stays the first one until it leaves.
            if end <= until:
                yield Turn(_label(job), str(job.work.job), alike.of(job), begin, end)


def _left_queue(job: Outcome) -> float | None:
    known = (job.allocated_s, job.began_s, job.over_s, job.seen_until_s)
    return next((at for at in known if at is not None), None)


def _levels(run: ArmRun, alike: Alike, end_s: float) -> Iterator[Level]:
    """The mean number of nodes in use in each of some equal times, by the groups of their jobs."""
    width = end_s / LEVELS
    if width <= 0:
        return
    by_group = {
        name: _mean_in_use([job for job in run.outcomes if alike.of(job) == name], width) for name in alike.names
    }
    for place in range(LEVELS):
        yield Level(place * width, (place + 1) * width, tuple(means[place] for means in by_group.values()))


def _mean_in_use(jobs: Sequence[Outcome], width: float) -> list[float]:
    """Of each of the times, so many seconds wide, the mean number of nodes that the jobs held."""
    # What a job has of the times in which it begins and ends, and, as a running sum, what it holds throughout those between.
    ends, steps = [0.0] * LEVELS, [0] * (LEVELS + 1)
    for job in jobs:
        begin, over = (max(0.0, at) / width for at in _held(job))
        first, last = (min(LEVELS - 1, int(at)) for at in (begin, over))
        if first == last:
            ends[first] += job.work.nodes * (over - begin)
            continue
        ends[first] += job.work.nodes * (first + 1 - begin)
        ends[last] += job.work.nodes * (over - last)
        steps[first + 1] += job.work.nodes
        steps[last] -= job.work.nodes
    return [end + throughout for end, throughout in zip(ends, accumulate(steps), strict=False)]
