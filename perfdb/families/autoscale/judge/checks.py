"""What makes a run of this family a measurement. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from perfdb.families.autoscale.judge.words import LONGEST, listed, shortened, standing
from perfdb.families.autoscale.rounds.chain import Acquisition, Round
from perfdb.families.autoscale.rounds.lives import BlockLife
from perfdb.families.autoscale.rounds.node_reports import interpreter, release
from perfdb.families.autoscale.rounds.stages import Told, out_of_order, stages
from perfdb.families.autoscale.spec import AutoscaleSpec
from perfdb.record import Check

# What the stages add up to is two wall clocks' difference, and that total a monotonic clock's.
ADD_UP_S = 1e-3
# A task should wait for each node. One that had none for longer than this tells of our sending, not of its start.
LATE_S = 0.1


def checks_of(
    spec: AutoscaleSpec,
    rounds: Sequence[Round],
    whole: int,
    expected: int,
    powers: bool,
    local: bool,
    shared_folder: bool,
) -> tuple[Check, ...]:
    """Every check, whatever became of the run.

    Args:
        rounds: As far as they got.
        whole: How many rounds came to their end.
        expected: How many were asked for.
        powers: Whether the platform powers nodes up as they are wanted.
        local: Whether all blocks are on the submit host, so that a pool stands for a node.
        shared_folder: Whether nodes have folders in common with the submit host on this platform.
    """
    return (
        _check(
            "every_round_complete",
            []
            if whole == expected
            else [f"{whole} of {expected} rounds came to their end, every task of theirs with a result"],
            f"{expected} rounds came to their end, every task of theirs with a result",
        ),
        _check(
            "nodes_as_claimed", list(_nodes(spec, rounds, local)), f"tasks ran on {_claim(spec, rounds)} in every round"
        ),
        _check(
            "every_block_registered", list(_unregistered(rounds)), "every block's nodes registered with the interchange"
        ),
        _check(
            "stages_in_order",
            list(_order(spec, rounds)),
            "no milestone was before its cause, as far as clocks can tell",
        ),
        _add_up(rounds),
        _check(
            "clocks_agree",
            list(_clocks(spec, rounds)),
            f"no clock was more than {spec.clock_offset_s:g} s off the submit host's{_as_far_as(rounds)}",
        ),
        _waiting(rounds),
        _check(
            "nodes_fit",
            list(_unfit(rounds, shared_folder)),
            "every node that ran a task had the submit host's Python and Parsl"
            + (" and saw the run folder" if shared_folder else ""),
        ),
        *([_check("rounds_as_labelled", list(_labels(rounds)), _LABELLED)] if powers else []),
    )


_LABELLED = "every node of a cold round was powered up for it, none of a warm round was"


def _check(name: str, faults: Sequence[str], fine: str) -> Check:
    return Check(name=name, passed=not faults, detail=shortened(listed(faults), LONGEST) if faults else fine)


def _claim(spec: AutoscaleSpec, rounds: Sequence[Round]) -> str:
    per_block = max((round_.nodes_per_block for round_ in rounds), default=1)
    return f"{spec.blocks * per_block} nodes"


def _nodes(spec: AutoscaleSpec, rounds: Sequence[Round], local: bool) -> Iterator[str]:
    for round_ in rounds:
        worked = {(a.block, a.pool) if local else a.node for a in round_.acquisitions}
        claimed = spec.blocks * round_.nodes_per_block
        what = "worker pools" if local else "distinct nodes"
        if len(worked) != claimed:
            yield f"{round_.name}: tasks ran on {len(worked)} {what}, {claimed} are claimed"
        elif len(round_.acquisitions) != claimed:  # a block's pool began anew, and would count twice
            yield f"{round_.name}: {len(round_.acquisitions)} worker pools ran tasks on {claimed} nodes"


def _unregistered(rounds: Sequence[Round]) -> Iterator[str]:
    for round_ in rounds:
        for life in round_.blocks:
            if life.registered < round_.nodes_per_block:
                several = (
                    f" ({life.registered} of {round_.nodes_per_block} nodes registered)" if life.registered else ""
                )
                yield f"{round_.name}: {standing(life)}{several}"


def _named(round_: Round, acquired: Acquisition) -> str:
    return f"{round_.name}, node {acquired.ordinal}"


def _order(spec: AutoscaleSpec, rounds: Sequence[Round]) -> Iterator[str]:
    for round_ in rounds:
        for acquired in round_.acquisitions:
            found = out_of_order(acquired.milestones, round_.nodes_per_block > 1, spec.clock_offset_s)
            for effect, cause, by_s in found:
                yield f"{_named(round_, acquired)}: {effect} is told to be {by_s:.3f} s before {cause}"


def total_s(acquired: Acquisition) -> float:
    """What the stages of a node add up to."""
    return sum(stages({name: told.at if told else None for name, told in acquired.milestones.items()}).values())


def _add_up(rounds: Sequence[Round]) -> Check:
    off = [
        (abs(total_s(acquired) - acquired.clocked_total_s), _named(round_, acquired), acquired)
        for round_ in rounds
        for acquired in round_.acquisitions
    ]
    worst = f"; at most {max(by for by, _, _ in off) * 1e6:.0f} µs apart" if off else ""
    return _check(
        "stages_add_up",
        [
            f"{name}: the stages add up to {total_s(acquired):.6f} s, and the total by the monotonic clock is "
            f"{acquired.clocked_total_s:.6f} s"
            for by, name, acquired in off
            if by > ADD_UP_S
        ],
        f"the stages of each of {len(off)} nodes add up to their total by the monotonic clock within 1 ms{worst}",
    )


def _clocks(spec: AutoscaleSpec, rounds: Sequence[Round]) -> Iterator[str]:
    for round_ in rounds:
        for host, offset in sorted(round_.clocks.offsets.items()):
            if abs(offset.ahead_s) + offset.within_s > spec.clock_offset_s:
                yield (
                    f"{round_.name}: the clock of host {host} is {offset.ahead_s:+.4f} ± {offset.within_s:.4f} s off the submit "
                    f"host's, and {spec.clock_offset_s:g} s are allowed"
                )
        for host in round_.clocks.uncompared:
            yield f"{round_.name}: the clock of host {host} was never compared with the submit host's"
        for life in round_.blocks:
            pending = life.milestones.get("job_pending")
            by_s = _off(life, pending)
            if by_s > spec.clock_offset_s:
                yield (
                    f"{round_.name}: by the scheduler's clock it took block {life.block[:40]} {by_s:.3f} s outside of the call "
                    f"of provider.submit, and {spec.clock_offset_s:g} s are allowed"
                )


def _as_far_as(rounds: Sequence[Round]) -> str:
    """How finely the scheduler's clock is known."""
    known = [
        pending for r in rounds for life in r.blocks if (pending := life.milestones.get("job_pending")) is not None
    ]
    coarsest = max((pending.resolution_s for pending in known), default=0.0)
    return f", the scheduler's as far as its times of {coarsest:g} s tell" if coarsest > LATE_S else ""


def _waiting(rounds: Sequence[Round]) -> Check:
    late = [(acquired.late_s, _named(round_, acquired)) for round_ in rounds for acquired in round_.acquisitions]
    worst = f", at most {max(late)[0] * 1e3:.0f} ms later" if late else ""
    return _check(
        "tasks_waited",
        [
            f"{name}: its manager was there for {by:.3f} s before its first task was submitted"
            for by, name in late
            if by > LATE_S
        ],
        f"a task was there for each node as soon as its manager registered{worst}",
    )


def _unfit(rounds: Sequence[Round], shared_folder: bool) -> Iterator[str]:
    for round_ in rounds:
        for acquired in round_.acquisitions:
            python, parsl, sees_run_dir = acquired.software
            begin = round_.begin
            if begin is not None and interpreter(python) != interpreter(begin.python):
                yield f"{_named(round_, acquired)} runs {python}, the submit host {begin.python}"
            if begin is not None and release(parsl) != release(begin.parsl):
                yield f"{_named(round_, acquired)} has Parsl {parsl or '(none)'}, the submit host {begin.parsl}"
            if shared_folder and not sees_run_dir:
                yield f"{_named(round_, acquired)} does not see the run folder"


def _off(life: BlockLife, pending: Told | None) -> float:
    """By how many seconds the scheduler says it took the job before it was submitted, or after it had said so."""
    if life.submitted is None or pending is None:
        return 0.0
    early = life.submitted.called[0] - (pending.at + pending.resolution_s)
    late = pending.at - life.submitted.returned[0]
    return max(0.0, early, late)


def _labels(rounds: Sequence[Round]) -> Iterator[str]:
    for round_ in rounds:
        for acquired in round_.acquisitions:
            if acquired.booted is None:
                yield f"{_named(round_, acquired)}: nobody told whether it was powered up for it"
            elif acquired.booted is (round_.kind == "warm"):
                was = "was powered up for it" if acquired.booted else "was up already"
                yield f"{_named(round_, acquired)} {was}"
