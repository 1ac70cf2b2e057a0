"""The rounds of autoscale records: found in the registry, pooled where they are alike, and as ways to obtain cores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perfdb.errors import UsageError
from perfdb.units import counted

if TYPE_CHECKING:
    from perfdb.cli.terminal import Voice
    from perfdb.families.autoscale.analysis.batch import Event, Kind
    from perfdb.families.autoscale.analysis.ways import Way
    from perfdb.record import Record, Scalar

FAMILY = "autoscale"
# Parsl gives idle blocks back after two minutes there, in each round.
_EXAMPLE = (
    f"perfdb run {FAMILY} local_htex --rounds 1 --blocks 2 (about three minutes, most of them Parsl's max_idletime)"
)


@dataclass(frozen=True)
class Pool:
    """Records that are alike in all that may move a number, oldest first, and their events together.

    Attributes:
        apart: What tells them from the other pools of one config and machine; "" where nothing has to.
    """

    records: tuple[Record, ...]
    events: tuple[Event, ...]
    apart: str

    @property
    def ids(self) -> tuple[str, ...]:
        """The records'."""
        return tuple(record.record_id for record in self.records)

    @property
    def name(self) -> str:
        """What people call them: the config, the machine, and what else it takes."""
        first = self.records[0]
        name = f"{first.config.name if first.config else first.run_name} on {first.environment.machine}"
        return f"{name}, {self.apart}" if self.apart else name


@dataclass(frozen=True)
class Measured:
    """What was found.

    Attributes:
        left_out: Ids of the records that do not count, by why.
        never_came: How many blocks of those never came up, by id; none where all did.
    """

    pools: tuple[Pool, ...]
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)
    never_came: dict[str, int] = field(default_factory=dict)

    def told_left_out(self) -> Iterator[str]:
        """A line for each reason to leave records out."""
        for why, ids in self.left_out.items():
            yield f"left out, {why}: {', '.join(map(self._told, ids))}"

    def _told(self, record_id: str) -> str:
        count = self.never_came.get(record_id)
        return f"{record_id} ({counted(count, 'block')} never came)" if count else record_id


def measured(words: Sequence[str], voice: Voice) -> Measured:
    """The autoscale records that these words name, pooled where alike.

    Args:
        words: Ids, configs, machines, or queries, as of `perfdb compare`; none for every autoscale record.

    Raises:
        UsageError: a word names no such record, or none is left that counts.
    """
    from perfdb.cli.sampled import chosen
    from perfdb.compare.sides import Rules, clusters
    from perfdb.families.autoscale.analysis.batch import events_of
    from perfdb.registry.validator.parquet import ParquetReader

    found = chosen(FAMILY, words, _EXAMPLE, voice)
    sorted_out, left = found.counted, found.left_out
    never_came = {
        run.record.record_id: _never_came(run.record) for runs in sorted_out.left_out.values() for run in runs
    }
    alike = list(clusters(sorted_out, Rules((), frozenset())).values())
    pools = []
    with ParquetReader() as reader:
        for cluster, apart in zip(alike, _apart([one.alike for one in alike]), strict=True):
            known: list[Record] = []
            events: list[Event] = []
            for record in cluster.records:
                if (columns := found.samples_of(record, reader)) is not None:
                    known.append(record)
                    events += events_of(columns, record.record_id)
            if known:
                pools.append(Pool(tuple(known), tuple(events), apart))
    if not pools:
        raise found.none_counts()
    known_missing = {record_id: count for record_id, count in never_came.items() if count}
    return Measured(tuple(pools), {why: tuple(ids) for why, ids in left.items()}, known_missing)


def _apart(alike: Sequence[Mapping[str, Scalar]]) -> list[str]:
    """What tells each set of records from the others, besides config and machine."""
    from perfdb.compare.pairing import case_labels
    from perfdb.compare.sides import Rules

    labels = case_labels(alike, Rules((), frozenset()))
    names = dict.fromkeys(name for label in labels for name in label if name not in ("config", "machine"))
    telling = [name for name in names if len({repr(label.get(name)) for label in labels}) > 1]
    return [
        ", ".join(f"{name.rpartition('.')[2]} {label[name]}" for name in telling if name in label) for label in labels
    ]


def _never_came(record: Record) -> int:
    told = filter(None, map(record.metric, ("censored_blocks", "warm_censored_blocks")))
    return int(sum(value for metric in told for value in metric.all_values))


def ways_of(found: Measured, kinds: Sequence[Kind], cores_per_node: int | None) -> list[Way]:
    """The measured ways to obtain cores: a curve for each set of records that are alike, and each kind of round.

    Args:
        cores_per_node: As whoever asked gave it; None to take what the records say.

    Raises:
        UsageError: they do not say how many cores a node has.
    """
    from perfdb.families.autoscale.analysis.batch import ready_by_round
    from perfdb.families.autoscale.analysis.curves import of_rounds
    from perfdb.families.autoscale.analysis.ways import Way

    ways = []
    for number, pool in enumerate(found.pools, 1):
        cores, source, as_given = _cores_of(pool.records[0], cores_per_node)
        which = f" {number}" if len(found.pools) > 1 else ""
        for kind in kinds:
            rounds = ready_by_round(pool.events, kind)
            if not rounds:
                continue
            band = of_rounds(rounds, cores)
            facts = {"cores_per_node": cores, "cores_per_node_by": source, "round_count": len(rounds)}
            about = f"{counted(cores, 'core')} a node{' as given' if as_given else ''}"
            name = f"{kind} nodes{which}"
            ways.append(Way(name, about, band.middle, True, band, kind, pool.ids, None, facts, pool.name))
    return ways


def _cores_of(record: Record, given: int | None) -> tuple[int, str, bool]:
    """The cores of a node, who says so, and whether that is not what the record says."""
    if given is None:
        return *_cores(record), False
    try:
        own, _ = _cores(record)
    except UsageError:
        own = None
    return given, "given", own != given


def _cores(record: Record) -> tuple[int, str]:
    """The cores of a node, and who says so."""
    asked = record.params.get("provider.cores_per_node")
    if isinstance(asked, int) and not isinstance(asked, bool) and asked > 0:
        return asked, "provider.cores_per_node of the config"
    # Without a scheduler all of them are on one host, and share its cores.
    workers = record.environment.workers if record.environment.scheduler else ()
    counts = {worker.cpu_usable or worker.cpu_count for worker in workers}
    if len(counts) == 1 and (count := next(iter(counts))):
        return count, "the CPUs that the nodes say they may use"
    raise UsageError(
        f"record {record.record_id} does not say how many cores a node has: its config sets no cores_per_node, and its "
        "nodes did not tell one number. Say it: --cores-per-node 8"
    )
