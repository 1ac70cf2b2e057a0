"""What people say about records afterwards: remarks and withdrawals, each a new file, never an edit."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal

from pydantic import Field

from perfdb.record.canonical import canonical_bytes
from perfdb.record.model import Frozen, Instant, ShortHash, TagName, TagValue, Uuid

Words = Annotated[str, Field(min_length=1, max_length=4000)]


class Remark(Frozen):
    """One file about records. Its uuid is random for a person's, derived for an importer's, so that twice is once."""

    schema_version: Literal[1] = 1
    uuid: Uuid
    at: Instant

    def to_bytes(self) -> bytes:
        """Its one canonical spelling."""
        return canonical_bytes(self.model_dump(mode="json", exclude_none=True))


class Retraction(Remark):
    """A record withdrawn, with the reason. The record stays; lists and comparisons leave it out."""

    record_id: ShortHash
    reason: Words

    @property
    def file(self) -> str:
        """Below the registry."""
        return f"_retractions/{self.record_id}-{self.uuid}.json"


class Annotation(Remark):
    """A remark on records: what changed that day, which figure a run is in.

    `tags` are labels to find records by. `resets_baseline` says that what came before these records is no measure for
    them: the machine, or what is measured, became another one.
    """

    record_ids: Annotated[tuple[ShortHash, ...], Field(min_length=1, max_length=10_000)]
    note: Words
    tags: dict[TagName, TagValue] | None = None
    resets_baseline: bool = False

    @property
    def file(self) -> str:
        """Below the registry."""
        return f"_annotations/{self.uuid}.json"


def new_uuid() -> str:
    """For a remark that a person makes."""
    return uuid.uuid4().hex


def derived_uuid(*parts: str) -> str:
    """For a remark that follows from something else: the same parts give the same one."""
    return uuid.uuid5(uuid.NAMESPACE_OID, "\0".join(parts)).hex
