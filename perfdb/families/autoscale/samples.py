"""Rounds as one long table: a row for each quantity of each node, none of them thrown away. Pure.

round, kind     which one, and as what it was meant: `cold` or `warm`
block, node     Parsl's name of the block, the node's pseudonym; "" for a node that ran no task
ordinal         which of the round's nodes it was, from 1; 0 for nodes of a block that ran no task, told together
quantity        a milestone, `INSTANTS` or `DURATIONS`
value_s         instants: seconds since the round's first task was submitted, on the submit host's clock; null for a
                milestone that had nothing to wait for. Of `used` and `allocated`: node-seconds
resolution_s    how far off it may be
source          who wrote it down
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from perfdb.families.autoscale.rounds.chain import Acquisition, Round
from perfdb.families.autoscale.rounds.lives import EPOCH_S, WORKLOAD, BlockLife
from perfdb.families.autoscale.rounds.stages import Told

COLUMNS = ("round", "kind", "block", "node", "ordinal", "quantity", "value_s", "resolution_s", "source")
# Besides the milestones. `watched_until`: of a node that ran no task, until when it might have.
INSTANTS = ("last_task_ended", "cancel_called", "cancel_returned", "job_ended", "watched_until")
# `used`: at least one task ran. `allocated`: the node was held for us.
DURATIONS = ("clocked_total", "seed_acquisition", "used", "allocated")

_Quantity = tuple[str, float | None, float, str]


def columns(rounds: Sequence[Round]) -> dict[str, list[object]]:
    """The samples; {} where no round got as far as its first task's submission."""
    rows = [row for round_ in rounds for row in _rows(round_)]
    return {name: list(values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)} if rows else {}


def _rows(round_: Round) -> Iterator[tuple[object, ...]]:
    if round_.submitted is None:
        return
    zero = round_.submitted.at[0]
    lives = {life.block: life for life in round_.blocks}
    for acquired in round_.acquisitions:
        for quantity in _of_acquired(acquired, lives.get(acquired.block), zero):
            yield round_.number, round_.kind, acquired.block, acquired.node, acquired.ordinal, *quantity
    for life in round_.blocks:
        if life.missing:
            for quantity in _of_missing(life, round_, zero):
                yield round_.number, round_.kind, life.block, "", 0, *quantity


def _of_acquired(acquired: Acquisition, life: BlockLife | None, zero: float) -> Iterator[_Quantity]:
    yield from _instants(acquired.milestones, zero)
    yield "clocked_total", acquired.clocked_total_s, 2 * EPOCH_S, f"{WORKLOAD}, monotonic"
    if acquired.seed_s is not None:
        yield "seed_acquisition", acquired.seed_s, 2 * EPOCH_S, WORKLOAD
    yield "used", acquired.used_s, 2 * EPOCH_S, "the tasks, on their node, monotonic"
    yield from _instants({"last_task_ended": acquired.last_task_ended}, zero)
    if life is not None:
        yield from _release(life, zero, nodes=1)


def _of_missing(life: BlockLife, round_: Round, zero: float) -> Iterator[_Quantity]:
    yield from _instants(life.milestones, zero)
    yield from _release(life, zero, nodes=life.missing)
    end = Told(round_.end.at[0], EPOCH_S, WORKLOAD) if round_.end else None
    until = [told for told in (life.cancel_called, life.job_ended, end) if told is not None]
    if until:
        yield from _instants({"watched_until": min(until, key=lambda told: told.at)}, zero)


def _release(life: BlockLife, zero: float, nodes: int) -> Iterator[_Quantity]:
    told = {
        "cancel_called": life.cancel_called,
        "cancel_returned": life.cancel_returned,
        "job_ended": life.job_ended,
    }
    yield from _instants({name: at for name, at in told.items() if at is not None}, zero)
    if life.allocated is not None:
        held = life.allocated
        yield "allocated", held.seconds * nodes, held.resolution_s * nodes, held.source


def _instants(milestones: Mapping[str, Told | None], zero: float) -> Iterator[_Quantity]:
    for name, told in milestones.items():
        if told is None:
            yield name, None, 0.0, "the node was up"
        else:
            yield name, told.at - zero, told.resolution_s + told.within_s, told.source
