"""Imported runs into a registry: each once, whole or not at all, and again from where a killed import stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from perfdb.errors import RecordError
from perfdb.registry.importers.imported import Imported, Part, Skipped
from perfdb.registry.remarks import save_remark
from perfdb.registry.store import Registry

Key = tuple[str | None, str | None]


@dataclass
class Saved:
    """What an import did."""

    added: list[str] = field(default_factory=list)
    retracted: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    known: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def faults(self) -> list[Skipped]:
        """What could not be read; runs that only show a perfdb record are none."""
        return [part for part in self.skipped if not part.own]

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "added": self.added,
            "known": self.known,
            "retracted": self.retracted,
            "statuses": self.statuses,
            "own": sum(part.own for part in self.skipped),
            "faults": [{"where": _sayable(part.where), "why": _sayable(part.why)} for part in self.faults],
        }


def _sayable(text: str) -> str:
    """Without what stands for the bytes of a file's name that are no text."""
    return text.encode("utf-8", "replace").decode("utf-8")


def save_all(
    parts: Iterable[Part], registry: Registry, *, dry_run: bool = False, on_part: Callable[[Saved], None] | None = None
) -> Saved:
    """Save what an importer yields, as it yields it.

    A run is known by its kind of source and its content, whatever perfdb imported it and under whichever label. One that
    its source deleted since then is retracted.

    Args:
        dry_run: Write nothing, and say what would be.
        on_part: Called after each part.

    Raises:
        RegistryError: the registry can't be written; what was saved before stays.
    """
    known = _known(registry)
    saved = Saved()
    for part in parts:
        if isinstance(part, Skipped):
            saved.skipped.append(part)
        else:
            _save(part, registry, known, saved, dry_run=dry_run)
        if on_part:
            on_part(saved)
    return saved


def _save(part: Imported, registry: Registry, known: dict[Key, str], saved: Saved, *, dry_run: bool) -> None:
    record = part.record
    key = (record.origin.source_kind, record.origin.source_sha256)
    if key in known:
        saved.known += 1
    else:
        if not dry_run:
            registry.save(record, part.files)
        known[key] = record.record_id
        saved.added.append(record.record_id)
        saved.statuses[record.status] = saved.statuses.get(record.status, 0) + 1
    if part.retraction is not None:
        retraction = part.retraction.model_copy(update={"record_id": known[key]})
        if not (registry.root / retraction.file).exists():
            saved.retracted.append(retraction.record_id)
            if not dry_run:
                save_remark(registry.root, retraction)


def _known(registry: Registry) -> dict[Key, str]:
    """Every imported record's id. One that can't be read is for `perfdb validate` to tell."""
    found: dict[Key, str] = {}
    for entry in registry.entries():
        if not isinstance(entry, RecordError) and entry.record.origin.kind == "imported":
            origin = entry.record.origin
            found.setdefault((origin.source_kind, origin.source_sha256), entry.record.record_id)
    return found
