"""Whether what an import is about to save would pass `perfdb validate`, asked before it is saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from perfdb.redaction import Identity
from perfdb.registry.validator.folder import Means
from perfdb.registry.validator.parquet import ParquetReader
from perfdb.registry.validator.privacy import Search
from perfdb.registry.validator.report import Findings, Rules
from perfdb.registry.validator.tree import Item, Unreadable
from perfdb.registry.validator.validate import judge_tree


class Validator:
    """Judges one import's files, part by part, with one process that reads samples.

    Args:
        rules: As `validate_folder` takes them.
        identity: Whose names must not occur.
    """

    def __init__(self, rules: Mapping[str, Rules], identity: Identity) -> None:
        self._rules = rules
        self._search = Search(identity)
        self._parquet = ParquetReader()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._parquet.__exit__(kind, error, at)

    def __call__(self, files: Mapping[str, bytes], record_id: str) -> str | None:
        """The first fault of files by their path in the registry, in words; None where there is none.

        Args:
            record_id: A record that is there, for what is said about it.
        """
        findings = Findings()
        tree = _Files(files, record_id)
        means = Means(self._rules, self._search, self._parquet, datetime.now(UTC))
        judge_tree(tree, tree.items(), means, findings, lambda _: None)
        if not findings.faults:
            return None
        first = min(findings.faults)
        name = first.file.split("/", 4)[-1] if first.file.count("/") >= 4 else first.file.rpartition("/")[2]
        return f"{name}: {f'{first.field}: ' if first.field else ''}{first.problem}"


class _Files:
    """A registry of a few files that are nowhere yet."""

    def __init__(self, files: Mapping[str, bytes], record_id: str) -> None:
        self._files = files
        self._record_id = record_id

    def items(self) -> Iterator[Item]:
        for path in sorted(self._files):
            yield Item(path, "file")

    def read(self, path: str, most: int) -> bytes:
        data = self._files.get(path)
        if data is None:
            raise Unreadable("is not there")
        if len(data) > most:
            raise Unreadable(f"is larger than {most} bytes")
        return data

    def has(self, path: str) -> bool:
        return path in self._files

    def record_ids(self) -> frozenset[str]:
        return frozenset([self._record_id])

    def others(self, month: str) -> Sequence[str]:  # noqa: ARG002
        return ()
