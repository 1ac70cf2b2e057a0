"""What a run of this family says by itself, with the numbers for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from perfdb.compare.median import interval_of_median
from perfdb.compare.statistics import blocked_ratio_interval
from perfdb.families.elastic.events import Begin
from perfdb.families.elastic.judge.checks import Arms
from perfdb.families.elastic.seen import NOUNS, Seen
from perfdb.record import Finding, Metric
from perfdb.units import counted, quantity, significant

# Of these a run says what elasticity brought, in its own words.
_TOLD = {
    "makespan_s": "makespan",
    "turnaround_s": "turnaround",
    "urgent_wait_s": "urgent_wait",
    "rigid_wait_s": "rigid_wait",
    "elastic_turnaround_s": "elastic_turnaround",
    "promised_share": "utilisation",
}


def findings_of(arms: Arms, metrics: Sequence[Metric]) -> Iterator[Finding]:
    """Conclusions from these arms; none where nothing was measured."""
    by_name = {metric.name: metric for metric in metrics}
    for stem, name in _TOLD.items():
        yield from _difference(stem, name, by_name)
    begun = [begin for told in arms.told if (begin := told.begin) is not None]
    if begun:
        yield from _circumstances(begun)
    yield from _idle_arms(arms.seen)
    yield from _no_threshold(arms)
    yield from _unready(arms.seen)
    yield from _overtaken(arms.seen)
    yield from _untold_costs(arms.seen)


def _difference(stem: str, name: str, by_name: Mapping[str, Metric]) -> Iterator[Finding]:
    paired = by_name.get(f"on_less_off_{stem}")
    on, off = by_name.get(f"on_{stem}"), by_name.get(f"off_{stem}")
    if paired is None or on is None or off is None:
        return
    differences = paired.all_values
    middle = quantity(median(differences), paired.unit)
    interval = interval_of_median(differences)
    evidence = f"on less off, median over {counted(len(differences), 'repetition')}"
    if interval is not None:
        low, high = (quantity(end, paired.unit) for end in (interval.low, interval.high))
        evidence += f", {low} to {high} with {significant(100 * interval.confidence, 3)} % confidence"
    if len(on.all_values) == len(off.all_values):
        pairs = [([one], [other]) for one, other in zip(off.all_values, on.all_values, strict=True)]
        ratio = blocked_ratio_interval(pairs)
        if ratio is not None:
            ends = " to ".join(significant(end, 3) for end in (ratio.low, ratio.high))
            evidence += f"; on over off {significant(ratio.ratio, 3)}, {ends} with 95 % ({ratio.method})"
    yield Finding(
        name=f"elasticity_{name}", value=f"{'' if middle.startswith('-') else '+'}{middle}", evidence=evidence
    )


def _circumstances(begun: Sequence[Begin]) -> Iterator[Finding]:
    kept = sorted({begin.enforcement or "nothing" for begin in begun})
    yield Finding(
        name="enforcement",
        value=", ".join(kept)[:200],
        evidence=f"what kept jobs to their CPUs, as the scheduler says; in {counted(len(begun), 'arm')}",
    )
    over = [begin for begin in begun if begin.overcommit or begin.cpus > begin.real_cpus]
    if over:
        yield Finding(
            name="overcommitted",
            value=f"{over[0].cpus} {NOUNS[over[0].unit]}s of {over[0].real_cpus}",
            evidence="the scheduler gave more than there is: times are those of work that sleeps, and say nothing of computing",
        )


def _idle_arms(seen: Sequence[Seen]) -> Iterator[Finding]:
    for arm in ("on", "threshold"):
        mine = [one for one in seen if one.arm == arm]
        if mine and not any(one.in_turn for one in mine):
            yield Finding(
                name=f"{arm}_never_resized",
                value=counted(len(mine), "repetition"),
                evidence="no job was resized in this arm, so that it shows nothing of elasticity: the threshold was reached "
                "before any job could grow, or nothing ever was free"
                if arm == "threshold"
                else "no job was resized in this arm: nothing ever was free while an elastic job ran",
            )


def _no_threshold(arms: Arms) -> Iterator[Finding]:
    spec = arms.spec
    begun = sum(one.arm == "threshold" for one in arms.seen)
    # The last CPU of all is given away while all the others are promised.
    if begun and 100 * (spec.cpus - 1) < spec.threshold * spec.cpus:
        noun = NOUNS[arms.seen[0].unit]
        yield Finding(
            name="threshold_as_on",
            value=counted(begun, "repetition"),
            evidence=f"with {counted(spec.cpus, noun)}, {spec.threshold:g} % lets jobs grow into all of them, as in the arm on: the two "
            "differ by chance alone, and by how much says how far the other differences are to be trusted",
        )


def _unready(seen: Sequence[Seen]) -> Iterator[Finding]:
    every = [resize for one in seen for resize in one.in_turn]
    early = sum(not resize.processes for resize in every)
    if early:
        yield Finding(
            name="resized_before_ready",
            value=counted(early, "resize"),
            evidence=f"of {len(every)}: no process of the job took the signal yet, for its program was still starting; left out of the "
            "reaction times",
        )


def _overtaken(seen: Sequence[Seen]) -> Iterator[Finding]:
    every = [(one, resize) for one in seen for resize in one.in_turn if resize.processes]
    early = sum(one.is_overtaken(resize) for one, resize in every)
    if early:
        yield Finding(
            name="resized_again_before_answer",
            value=counted(early, "resize"),
            evidence=f"of {len(every)}: the job got the signal, and was resized again before it had answered; it answered the later one",
        )


def _untold_costs(seen: Sequence[Seen]) -> Iterator[Finding]:
    every = [resize for one in seen for resize in one.in_turn]
    silent = sum(resize.paused_s is None for resize in every)
    if silent:
        yield Finding(
            name="costs_not_told",
            value=counted(silent, "resize"),
            evidence=f"of {len(every)}: their jobs were not ready yet, or ended before they could say what it cost; left out of the costs",
        )
