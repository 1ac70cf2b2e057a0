"""The mapping file of a table: what its columns are."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from perfdb.errors import UsageError
from perfdb.record import LABEL_RULE, Direction, is_label
from perfdb.registry.importers.reading import Unreadable, text_of

_LARGEST_MAPPING = 1024 * 1024
Column = Annotated[str, Field(min_length=1, max_length=1000)]
Columns = tuple[Column, ...]


def _label(text: str) -> str:
    if not is_label(text):
        raise ValueError(f"it must be {LABEL_RULE}")
    return text


Label = Annotated[str, AfterValidator(_label)]
MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MappedMetric(_Strict):
    """One metric.

    Attributes:
        unit: In words of the field: `s`, `tasks/s`; `1` for a share.
        direction: Which way is better.
    """

    column: Column
    unit: Annotated[str, Field(max_length=40)]
    direction: Direction


class MappedColumns(_Strict):
    """Which column holds what. Instants are ISO 8601 or seconds since 1970; durations are seconds."""

    name: Column | None = None
    start: Column | None = None
    duration_s: Column | None = None
    machine: Column | None = None
    params: Columns = ()
    tags: Columns = ()


class TableMapping(_Strict):
    """The whole file."""

    family: Label = "external"
    experiment: Label | None = None
    delimiter: Literal[",", ";", "\t", "|"] = ","
    group_by: Columns = Field((), description="rows that agree in these columns are repetitions of one run")
    columns: MappedColumns = MappedColumns()
    metrics: Annotated[dict[MetricName, MappedMetric], Field(min_length=1)]

    @property
    def used(self) -> list[str]:
        """Every column that it names."""
        named = (self.columns.name, self.columns.start, self.columns.duration_s, self.columns.machine)
        metrics = [metric.column for metric in self.metrics.values()]
        return [*filter(None, named), *self.columns.params, *self.columns.tags, *self.group_by, *metrics]


def load_mapping(path: Path) -> TableMapping:
    """The mapping in a file.

    Raises:
        UsageError: it can't be read, or is none; names the field.
    """
    try:
        return TableMapping.model_validate(tomllib.loads(text_of(path.expanduser(), _LARGEST_MAPPING)))
    except Unreadable as error:
        raise UsageError(f"--mapping {path}: {error}. Give a TOML file.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"--mapping {path} is no TOML: {error}. Mend it there.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UsageError(
            f"--mapping {path}: {field[:200]}: {first['msg'].removeprefix('Value error, ')}. "
            "docs/how-to/import.md has an example."
        ) from error
