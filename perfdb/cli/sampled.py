"""Records of one family that a command's words name, and their samples, as far as both can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfdb.errors import UsageError

if TYPE_CHECKING:
    from perfdb.cli.terminal import Voice
    from perfdb.compare.sides import Counted
    from perfdb.record import Record
    from perfdb.registry.validator.parquet import ParquetReader


@dataclass(frozen=True)
class Chosen:
    """Those records.

    Attributes:
        counted: Those that count, and those that do not, by why.
        left_out: Ids of the latter by why; whoever reads samples adds to them.
    """

    family: str
    counted: Counted
    folders: Mapping[str, Path]
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def samples_of(self, record: Record, reader: ParquetReader) -> Mapping[str, Sequence[Any]] | None:
        """The samples, read as the validator does; None where they can't be, or say something else than the record."""
        columns = columns_of(record, self.folders[record.record_id], reader)
        if columns is None:
            self.left_out.setdefault("without samples that can be read", []).append(record.record_id)
        elif _contradicts(record, columns, self.family):
            self.left_out.setdefault("samples and record contradict one another", []).append(record.record_id)
        else:
            return columns
        return None

    def none_counts(self) -> UsageError:
        """What to say where no record is left."""
        told = "; ".join(f"{why}: {', '.join(ids)}" for why, ids in self.left_out.items())
        return UsageError(f"none of these records counts ({told}). `perfdb show ID` says what is wrong with one.")


def chosen(family: str, words: Sequence[str], example: str, voice: Voice, *, imported: bool = False) -> Chosen:
    """The measured records of a family that these words name.

    Args:
        words: Ids, configs, machines, or queries, as of `perfdb compare`; none for every one.
        example: A command that measures one.
        imported: Whether imported ones are among them too.

    Raises:
        UsageError: a word names none, or there is none at all.
    """
    from perfdb.cli.opening import open_index
    from perfdb.cli.sides import Sides
    from perfdb.compare import between
    from perfdb.compare.sides import Counted
    from perfdb.settings import load_settings

    every_one = f"family == {family}" + ("" if imported else " and origin == measured")
    root = load_settings().registry_path
    index = open_index(voice)
    every = index.search(every_one, retracted=True)
    if not every.total:
        raise UsageError(
            f"there is no record of the family {family} here. Measure one, for example on this machine: {example}"
        )
    folders = {str(i): root / str(f) for i, f in every.rows(every.columns(["record_id", "folder"]))}
    sides = Sides(root, index, every_one, f"{'' if imported else 'measured '}record of the family {family}")
    named = [sides.chosen(word) for word in words or [every_one]]
    for fault in sides.faults:
        voice.warn(str(fault))
    withdrawn = {record_id for side in named for record_id in side.withdrawn}
    records = [record for side in named for record in side.records]
    counted = Counted.of(between.Chosen("all", records, withdrawn=withdrawn))
    left = {why: [run.record.record_id for run in runs] for why, runs in counted.left_out.items()}
    return Chosen(family, counted, folders, left)


def columns_of(record: Record, folder: Path, reader: ParquetReader) -> Mapping[str, Sequence[Any]] | None:
    """The samples, read as the validator does; None where they are not what the record says."""
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
            return reader.receive().columns
        except (OSError, NoTable):
            continue
    return None


def _contradicts(record: Record, columns: Mapping[str, Sequence[Any]], family: str) -> bool:
    """Whether the record states something else than follows from its samples, as the validator sees it."""
    from perfdb.cli.known import rules
    from perfdb.registry.validator.content import check_samples
    from perfdb.registry.validator.report import Findings

    findings = Findings()
    check_samples(findings, record.record_id, record, columns, rules()[family])
    return bool(findings.faults)
