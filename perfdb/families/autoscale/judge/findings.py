"""What a run of this family says by itself, with the numbers for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from perfdb.families.autoscale.judge.words import CUT_SHORT, listed, shortened
from perfdb.families.autoscale.metrics import PREFIXES
from perfdb.families.autoscale.milestones import CHAIN
from perfdb.families.autoscale.rounds.chain import Round
from perfdb.record import Finding, Metric
from perfdb.units import counted, duration


def findings_of(rounds: Sequence[Round], metrics: Sequence[Metric], local: bool) -> Iterator[Finding]:
    """Conclusions from these rounds; none where nothing was measured.

    Args:
        local: Whether all blocks are on the submit host, so that one node is all there is.
    """
    means = {metric.name: fmean(metric.all_values) for metric in metrics}
    for prefix in PREFIXES.values():
        yield from _dominant(prefix, means)
    yield from _difference(rounds)
    yield from _untold(rounds)
    if not local:
        yield from _one_did_all(rounds)
    yield from _requeued(rounds)
    yield from _cut_short(rounds)
    yield from _not_given_back(rounds)


def _dominant(prefix: str, means: Mapping[str, float]) -> Iterator[Finding]:
    """Of the way to the first task's start: what that task and its result take after it is the workload's own."""
    names = [milestone.name for milestone in CHAIN[1:] if milestone.name not in ("first_task_ended", "result_received")]
    taken = {name: means[f"{prefix}stage_{name}_s"] for name in names if f"{prefix}stage_{name}_s" in means}
    total = sum(taken.values())
    if total <= 0:
        return
    ranked = sorted(taken, key=lambda name: taken[name], reverse=True)
    parts = ", ".join(f"{name} {duration(taken[name])} ({taken[name] / total:.0%})" for name in ranked[:4])
    kind = "warm" if prefix else "cold"
    evidence = f"mean stages until the first task's start in {kind} rounds: {parts}, of {duration(total)}"
    yield Finding(name=f"{prefix}longest_stage", value=ranked[0], evidence=evidence)


def _difference(rounds: Sequence[Round]) -> Iterator[Finding]:
    pairs = [
        (acquired.seed_s, started.at - round_.submitted.at[0])
        for round_ in rounds
        if round_.kind == "cold" and round_.submitted is not None
        for acquired in round_.acquisitions
        if acquired.seed_s is not None and (started := acquired.milestones["first_task_started"]) is not None
    ]
    if pairs:
        seed, true = (fmean(each) for each in zip(*pairs, strict=True))
        yield Finding(
            name="completion_taken_for_start",
            value=f"{seed - true:+.3f} s",
            evidence=f"until a node's first task had come back, as a loop over the results sees it, {duration(seed)} passed; until it "
            f"started, {duration(true)}; means over {counted(len(pairs), 'node')} of cold rounds; what the task itself takes is "
            "part of the former",
        )


def _untold(rounds: Sequence[Round]) -> Iterator[Finding]:
    for kind in PREFIXES:
        events = [acquired for round_ in rounds if round_.kind == kind for acquired in round_.acquisitions]
        lacking = {m.name: sum(m.name not in acquired.milestones for acquired in events) for m in CHAIN}
        missing = {name: count for name, count in lacking.items() if count}
        if missing:
            some = [f"{name} of {count}" for name, count in missing.items() if count < len(events)]
            told = f"nobody told {', '.join(some)}" if some else "none has them"
            yield Finding(
                name=f"{PREFIXES[kind]}milestones_not_told",
                value=shortened(", ".join(missing), 200),
                evidence=f"of {counted(len(events), 'node')} in {kind} rounds {told}; what they would take is part of the "
                "next stage that is known of every node",
            )


def _requeued(rounds: Sequence[Round]) -> Iterator[Finding]:
    again = [
        f"{round_.name}: the job of block {life.block[:40]} {life.job.restarts} time{'s' if life.job.restarts > 1 else ''}"
        for round_ in rounds
        for life in round_.blocks
        if life.job is not None and life.job.restarts
    ]
    if again:
        yield Finding(
            name="jobs_requeued",
            value=str(len(again)),
            evidence=f"a node did not boot, failed or was taken away, and the job began anew; all that is part of job_allocated, and "
            f"what was held before is not known: {listed(again)}",
        )


def _one_did_all(rounds: Sequence[Round]) -> Iterator[Finding]:
    alone = [
        round_.name
        for round_ in rounds
        if len({acquired.node for acquired in round_.acquisitions}) == 1
        and sum(life.registered for life in round_.blocks) > 1
    ]
    if alone:
        yield Finding(
            name="one_node_did_all",
            value=shortened(", ".join(alone), 200),
            evidence="several blocks registered, and every task ran on one node: those granted are not those that worked",
        )


def _cut_short(rounds: Sequence[Round]) -> Iterator[Finding]:
    faults = [
        f"{round_.name}: the job of block {life.block[:40]} is {life.job.state}, {CUT_SHORT[life.job.state]}"
        for round_ in rounds
        for life in round_.blocks
        if life.job is not None and life.job.state in CUT_SHORT
    ]
    if faults:
        yield Finding(name="jobs_cut_short", value=str(len(faults)), evidence=listed(faults))


def _not_given_back(rounds: Sequence[Round]) -> Iterator[Finding]:
    held = [
        f"{round_.name}: the job of block {life.block[:40]} was still {life.job.state}"
        for round_ in rounds
        for life in round_.blocks
        if life.job is not None and life.job.state is not None and life.job_ended is None and life.cancel_called
    ]
    if held:
        yield Finding(
            name="nodes_not_given_back",
            value=str(len(held)),
            evidence=f"when the wait for the end of the cancelled jobs was over: {listed(held)}",
        )
