"""From the records of one case to the values that are compared: which unit of analysis they allow. Pure.

Runs differ from sitting to sitting (load, node, time of day) by more than repetitions of one sitting do. So a repetition
counts as one only where both sides took turns in a sitting, so that whatever came and went there came to both. Else a
record counts as one, by its median. Raw samples are never pooled.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from perfdb.compare.comparison import Unit, Values
from perfdb.compare.median import median
from perfdb.compare.statistics import Block, can_be_sure
from perfdb.record import Metric, Record


@dataclass(frozen=True)
class Sample:
    """One metric of one case, ready to be compared.

    Attributes:
        unit: The unit of analysis.
        blocks: Baseline and other values, a block a sitting; one block where records are compared.
        baseline: All values of the baseline.
        other: All values of the other side.
        beside: Records that count but took no turns with the other side, where repetitions are compared.
    """

    unit: Unit
    blocks: tuple[Block, ...]
    baseline: Values
    other: Values
    beside: tuple[str, ...] = ()

    @property
    def fewest(self) -> int:
        """Units of analysis of the side that has fewer."""
        return min(self.baseline.n, self.other.n)


def sample_of(metric: str, baseline: Sequence[Record], other: Sequence[Record], fewest: int) -> Sample | None:
    """The values of a metric, by the best unit of analysis that they allow.

    Args:
        metric: Its name; both sides have it in one unit.
        fewest: Where repetitions are fewer than these, and records are not, records are compared.

    Returns:
        None where a side has no value of it.
    """
    mine = [record for record in baseline if record.metric(metric)]
    others = [record for record in other if record.metric(metric)]
    if not mine or not others:
        return None
    by_record = _by_record(metric, mine, others)
    by_repetition = _by_repetition(metric, mine, others)
    if by_repetition is None or not _tells(by_repetition.blocks) or by_repetition.fewest < fewest <= by_record.fewest:
        return by_record
    return by_repetition


def _tells(blocks: Sequence[Block]) -> bool:
    """Whether turns are of use: what a run has once makes blocks of one pair, and those say less than as many records."""
    return any(min(map(len, block)) > 1 for block in blocks) or can_be_sure(blocks)


def take_turns(one: Sequence[Record], other: Sequence[Record]) -> bool:
    """Whether the children of both were interleaved: they changed places at least as often as the fewer were run.

    Records say themselves with whom they took turns. What cannot be true is not believed: two children with one turn,
    several machines, or times that do not overlap.
    """
    every = [*one, *other]
    turns = [turn for record in every if record.sitting for turn in record.sitting.turns]
    machines = {(record.environment.machine, record.environment.machine_fingerprint) for record in every}
    if len(set(turns)) < len(turns) or len(machines) > 1:
        return False
    if max(record.started_at for record in every) > min(record.ended_at for record in every):
        return False
    mine = {turn for record in one if record.sitting for turn in record.sitting.turns}
    others = {turn for record in other if record.sitting for turn in record.sitting.turns}
    return interleaved(mine, others)


def interleaved(one: Collection[int], other: Collection[int]) -> bool:
    """The same of the places that the children had in the order of their sitting."""
    mine, others = set(one), set(other)
    order = [turn in mine for turn in sorted(mine | others)]
    changes = sum(1 for before, after in pairwise(order) if before != after)
    return not mine & others and 0 < min(len(mine), len(others)) <= changes


def sittings_of(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records by the sitting that they belong to; those of none are left out."""
    found: dict[str, list[Record]] = {}
    for record in records:
        if record.sitting is not None:
            found.setdefault(record.sitting.uuid, []).append(record)
    return found


def _by_record(metric: str, baseline: Sequence[Record], other: Sequence[Record]) -> Sample:
    mine, others = _medians(metric, baseline), _medians(metric, other)
    return Sample("record", ((mine.values, others.values),), mine, others)


def _by_repetition(metric: str, baseline: Sequence[Record], other: Sequence[Record]) -> Sample | None:
    mine, others = sittings_of(baseline), sittings_of(other)
    shared = [
        uuid
        for uuid in mine
        if uuid in others
        and take_turns(mine[uuid], others[uuid])
        and all(_is_of_repetitions(metric, record) for record in (*mine[uuid], *others[uuid]))
    ]
    if not shared:
        return None
    blocks = tuple((_repetitions(metric, mine[uuid]), _repetitions(metric, others[uuid])) for uuid in shared)
    used = [[record for uuid in shared for record in side[uuid]] for side in (mine, others)]
    ids = {record.record_id for side in used for record in side}
    return Sample(
        "repetition",
        blocks,
        _values([value for block in blocks for value in block[0]], used[0]),
        _values([value for block in blocks for value in block[1]], used[1]),
        tuple(record.record_id for record in (*baseline, *other) if record.record_id not in ids),
    )


def _is_of_repetitions(metric: str, record: Record) -> bool:
    """Several values of one child are no repetitions."""
    return record.sitting is not None and len(_of(metric, record).all_values) <= len(record.sitting.turns)


def _repetitions(metric: str, records: Sequence[Record]) -> tuple[float, ...]:
    return tuple(value for record in records for value in _of(metric, record).all_values)


def _medians(metric: str, records: Sequence[Record]) -> Values:
    return _values([median(_of(metric, record).all_values) for record in records], records)


def _values(values: Sequence[float], records: Sequence[Record]) -> Values:
    return Values(values=tuple(values), median=median(values), records=tuple(r.record_id for r in records))


def _of(metric: str, record: Record) -> Metric:
    found = record.metric(metric)
    assert found is not None, "records without the metric were left out before"
    return found
