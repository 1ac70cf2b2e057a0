"""What a validation found, and what it needs to be told about a kind of experiment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from perfdb.record import Metric, MetricDefinition, Record
from perfdb.registry.validator.limits import MOST_FAULTS

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Rules:
    """What a family, or a kind of source to import from, says about its records.

    Attributes:
        metrics: Every metric's definition by name.
        summarise: Pure: the metrics that the samples imply.
        derive: Pure: the metrics that others of the same record imply.
        agrees: Pure: what else of a record its samples contradict, a sentence each.
        implied: The metrics of a whole run that stand only where one of these two implies them.
        any_metric: Whether metrics of other names may occur, whose meaning only the contributor knows.
        imported: Whether they are those of a kind of source; a record that was measured has its family's.
    """

    metrics: Mapping[str, MetricDefinition]
    summarise: Callable[[Columns], Sequence[Metric]] | None = None
    derive: Callable[[Record], Sequence[Metric]] | None = None
    implied: frozenset[str] = frozenset()
    any_metric: bool = False
    imported: bool = False
    agrees: Callable[[Record, Columns], Iterable[str]] | None = None


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        file: Below the registry; in a change, below the repository's top.
        code: Stable, for programs.
        field: In the file, where it is about one.
        problem: What is wrong, without repeating anything secret.
        remedy: What to do about it.
    """

    file: str
    code: str
    field: str
    problem: str
    remedy: str

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "field": self.field or None}


@dataclass(frozen=True)
class Report:
    """Everything that was found in one go.

    Attributes:
        faults: Sorted by file.
        left_out: How many more there were than anybody would read.
        records: Ids of the records that were looked at.
        files: How many files were.
        contains_code: Whether the change adds a config, which is code that its readers will run.
        withdrawn: Ids of the records that retractions among these files withdraw.
        resets: How many annotations say that what came before is no measure any more.
    """

    faults: tuple[Fault, ...] = ()
    left_out: int = 0
    records: tuple[str, ...] = ()
    files: int = 0
    contains_code: bool = False
    withdrawn: tuple[str, ...] = ()
    resets: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ok": self.ok,
            "records": list(self.records),
            "files": self.files,
            "contains_code": self.contains_code,
            "withdrawn": list(self.withdrawn),
            "resets": self.resets,
            "faults": [fault.document() for fault in self.faults],
            "faults_left_out": self.left_out,
        }


@dataclass
class Findings:
    """Faults as they are found, up to as many as anybody reads."""

    most: int = MOST_FAULTS
    faults: list[Fault] = field(default_factory=list)
    left_out: int = 0

    def add(self, file: str, code: str, problem: str, remedy: str, field: str = "") -> None:
        """One more."""
        self.take(Fault(shown(file), code, shown(field), shown(problem, 1000), remedy))

    def take(self, *faults: Fault) -> None:
        """Those that another one found."""
        for fault in faults:
            if len(self.faults) < self.most:
                self.faults.append(fault)
            else:
                self.left_out += 1


def shown(text: str, longest: int = 300) -> str:
    """A stranger's text, fit to be shown: what is not printable is spelled out, and a long one is cut."""
    clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:longest])
    return clean if len(text) <= longest else f"{clean}…"
