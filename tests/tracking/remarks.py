"""Things said about records."""

from __future__ import annotations

from datetime import UTC, datetime

from perfdb.record import Annotation, Retraction
from perfdb.registry.remarks import Remarks

SAID = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def withdrawn(record_id: str = "a" * 16, reason: str = "another job ran there") -> Remarks:
    """A retraction alone."""
    return Remarks(retraction=Retraction(uuid="1" * 32, at=SAID, record_id=record_id, reason=reason))


def annotated(record_id: str = "a" * 16, note: str = "a new switch", number: int = 2, **changes) -> Remarks:
    """An annotation alone."""
    fields = {"record_ids": (record_id,), "note": note, "tags": {"figure": "3"}, **changes}
    return Remarks(annotations=(Annotation(uuid=str(number) * 32, at=SAID, **fields),))
