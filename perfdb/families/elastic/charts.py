"""What is worth a look in elastic runs: who held which CPUs when, how fast jobs were told, and elastic against rigid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from perfdb.families.charts import (
    ChartDescription,
    Layer,
    Picture,
    Pictures,
    RepetitionsChart,
    SamplesChart,
    Stack,
    StagesChart,
)
from perfdb.families.elastic.events import CHAIN, Arm, Stage
from perfdb.families.elastic.measure import SHOWN
from perfdb.families.elastic.mix import CLASSES
from perfdb.families.elastic.reading import read
from perfdb.families.elastic.seen import NOUNS, Direction, Seen
from perfdb.families.elastic.spec import ARMS
from perfdb.record import Record

# Of a stranger's record with thousands of each.
MOST_JOBS, MOST_STEPS = 60, 2000
_STAGES = {
    "granted": "Slurm has changed the allocation",
    "written": "control file written",
    "signalled": "signal sent",
    "acknowledged": "job takes notice",
    "applied": "applied",
}


def pictures(_: Record, samples: Mapping[str, Sequence[object]]) -> Iterator[Picture]:
    """The allocation over time, of each arm in the repetition whose makespan is the arm's median."""
    try:
        seen = read(samples)
    except (KeyError, ValueError, TypeError):
        return  # whatever it is, no samples of this family
    for arm in ARMS:
        if (one := _middle([each for each in seen if each.arm == arm and each.steps])) is not None:
            yield _allocation(arm, one)


def _middle(seen: Sequence[Seen]) -> Seen | None:
    whole = sorted((each for each in seen if each.makespan_s is not None), key=lambda each: each.makespan_s or 0.0)
    return whole[(len(whole) - 1) // 2] if whole else next(iter(seen), None)


def _allocation(arm: Arm, one: Seen) -> Picture:
    jobs = sorted(one.jobs.values(), key=lambda job: (CLASSES.index(job.of), job.job))[:MOST_JOBS]
    kept = one.steps[:MOST_STEPS]
    layers = tuple(
        Layer(
            f"{job.of} job {job.job}",
            f"{job.of[0]}{job.job}",
            job.of,
            tuple((at, cpus) for at, number, cpus in kept if number == job.job),
            job.at.get("arrived"),
        )
        for job in jobs
    )
    noun = NOUNS.get(one.unit, one.unit)
    remarks = []
    if len(jobs) < len(one.jobs):
        remarks.append(f"{MOST_JOBS} of {len(one.jobs)} jobs.")
    if len(kept) < len(one.steps):
        remarks.append(f"The first {MOST_STEPS:,} of {len(one.steps):,} steps.")
    return Picture(
        f"allocation-{arm}",
        f"Allocation over time, {SHOWN[arm]}",
        f"Who was promised which {noun}s when, in repetition {one.repetition}; a job that is shrunk counts with what it "
        "still holds until it has let go.",
        Stack(f"{noun}s promised", one.cpus, layers, tuple(remarks)),
    )


def _reaction(stage: str, told: str) -> SamplesChart:
    return SamplesChart(
        f"reaction-{stage}",
        f"From the decision until {told}",
        f"The share of resizes of which, so long after the scheduler decided them, {told}.",
        "since_s",
        "s",
        by="word",
        labels={"grow": "growths", "shrink": "shrinks"},
        only=True,
        where={"event": stage},
        quantity="since the decision",
    )


def _stages(direction: Direction, title: str, order: Sequence[Stage]) -> StagesChart:
    return StagesChart(
        f"{direction}-stages",
        title,
        f"What each stage of a {direction} adds, from the scheduler's decision on: medians of each repetition.",
        {f"stage_{stage}_p50_s": _STAGES[stage] for stage in order},
        {SHOWN[arm]: f"{arm}_{direction}_" for arm in ARMS if arm != "off"},
    )


CHARTS: tuple[ChartDescription, ...] = (
    Pictures(pictures),
    _reaction("acknowledged", "the job had taken notice"),
    _reaction("applied", "it was applied"),
    _reaction("granted", "Slurm had changed the allocation"),
    _stages("grow", "A growth, stage by stage", CHAIN[1:]),
    # Slurm takes nodes back last of all.
    _stages("shrink", "A shrink, stage by stage", (*CHAIN[2:], CHAIN[1])),
    RepetitionsChart(
        "elastic-against-rigid",
        "Elastic against rigid: makespan and turnaround",
        "The same jobs with elasticity off, on and by threshold, repetition by repetition.",
        tuple(f"{arm}_{name}" for name in ("makespan_s", "turnaround_s") for arm in ARMS),
    ),
    RepetitionsChart(
        "waits",
        "Elastic against rigid: who waits",
        "Mean wait of the jobs that can't be resized, by their priority.",
        tuple(f"{arm}_{of}_wait_s" for of in ("urgent", "rigid") for arm in ARMS),
    ),
    RepetitionsChart(
        "utilisation",
        "Elastic against rigid: utilisation",
        "CPUs promised, and CPU seconds used, over those that were offered.",
        tuple(f"{arm}_{name}" for name in ("promised_share", "used_share") for arm in ARMS),
    ),
)
