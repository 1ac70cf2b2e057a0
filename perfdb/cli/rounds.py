"""The rounds of autoscale records: found in the registry, pooled where they are alike, and as ways to obtain cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from perfdb.errors import UsageError

if TYPE_CHECKING:
    from perfdb.cli.terminal import Voice
    from perfdb.families.autoscale.analysis.batch import Event, Kind
    from perfdb.families.autoscale.analysis.ways import Way
    from perfdb.record import Record
    from perfdb.registry.validator.parquet import ParquetReader

FAMILY = "autoscale"
_EVERY = f"family == {FAMILY} and origin == measured"


@dataclass(frozen=True)
class Pool:
    """Records that are alike in all that may move a number, oldest first, and their events together."""

    records: tuple[Record, ...]
    events: tuple[Event, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The records'."""
        return tuple(record.record_id for record in self.records)

    @property
    def name(self) -> str:
        """What people call them: the config and the machine."""
        first = self.records[0]
        return f"{first.config.name if first.config else first.run_name} on {first.environment.machine}"


@dataclass(frozen=True)
class Measured:
    """What was found; `left_out` are the ids of the records that do not count, by why."""

    pools: tuple[Pool, ...]
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)


def measured(words: Sequence[str], voice: Voice) -> Measured:
    """The autoscale records that these words name, pooled where alike.

    Args:
        words: Ids, configs, machines, or queries, as of `perfdb compare`; none for every autoscale record.

    Raises:
        UsageError: a word names no such record, or none is left that counts.
    """
    from perfdb.cli.records import open_index
    from perfdb.cli.sides import Sides
    from perfdb.compare.between import Chosen
    from perfdb.compare.sides import Counted, Rules, clusters
    from perfdb.registry.validator.parquet import ParquetReader
    from perfdb.settings import load_settings

    root = load_settings().registry_path
    index = open_index(voice)
    every = index.search(_EVERY, retracted=True)
    if not every.total:
        raise UsageError(
            f"there is no record of the family {FAMILY} here. Measure one: perfdb run {FAMILY} local_htex --set rounds=5"
        )
    folders = {str(i): root / str(f) for i, f in every.rows(every.columns(["record_id", "folder"]))}
    sides = Sides(root, index, _EVERY)
    chosen = [sides.chosen(word) for word in words or [_EVERY]]
    for fault in sides.faults:
        voice.warn(str(fault))
    withdrawn = {record_id for side in chosen for record_id in side.withdrawn}
    records = [record for side in chosen for record in side.records]
    counted = Counted.of(Chosen("all", records, withdrawn=withdrawn))
    left = {why: [run.record.record_id for run in runs] for why, runs in counted.left_out.items()}
    pools = []
    with ParquetReader() as reader:
        for cluster in clusters(counted, Rules((), frozenset())).values():
            read = [(record, _events(record, folders[record.record_id], reader)) for record in cluster.records]
            if without := [record.record_id for record, events in read if not events]:
                left.setdefault("without samples that can be read", []).extend(without)
            if known := [(record, events) for record, events in read if events]:
                events = tuple(event for _, found in known for event in found)
                pools.append(Pool(tuple(record for record, _ in known), events))
    if not pools:
        told = "; ".join(f"{why}: {', '.join(ids)}" for why, ids in left.items())
        raise UsageError(f"none of these records counts ({told}). `perfdb show ID` says what is wrong with one.")
    return Measured(tuple(pools), {why: tuple(ids) for why, ids in left.items()})


def _events(record: Record, folder: Path, reader: ParquetReader) -> tuple[Event, ...]:
    """What the samples tell, read as the validator does; nothing where they are not what the record says."""
    from perfdb.families.autoscale.analysis.batch import events_of
    from perfdb.record import sha256_hex
    from perfdb.registry.validator.limits import LARGEST_SAMPLES
    from perfdb.registry.validator.parquet import NoTable

    for sample in record.samples:
        path = folder / sample.file
        if sample.bytes > LARGEST_SAMPLES or path.resolve() != folder.resolve() / sample.file:
            continue
        try:
            data = path.read_bytes()
            if sha256_hex(data) != sample.sha256:
                continue
            reader.send(data)
            return events_of(reader.receive().columns, record.record_id)
        except (OSError, NoTable):
            continue
    return ()


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
    from perfdb.units import counted

    ways = []
    for number, pool in enumerate(found.pools, 1):
        cores, source = (cores_per_node, "given") if cores_per_node else _cores(pool.records[0])
        which = f" {number}" if len(found.pools) > 1 else ""
        for kind in kinds:
            rounds = ready_by_round(pool.events, kind)
            if not rounds:
                continue
            band = of_rounds(rounds, cores)
            facts = {"cores_per_node": cores, "cores_per_node_by": source, "round_count": len(rounds)}
            about = f"{pool.name}, {counted(cores, 'core')} a node"
            ways.append(Way(f"{kind} nodes{which}", about, band.middle, True, band, kind, pool.ids, None, facts))
    return ways


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
