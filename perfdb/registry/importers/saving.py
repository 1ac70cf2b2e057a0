"""Imported runs into a registry: each once, whole or not at all, and again from where a killed import stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from perfdb.errors import RecordError
from perfdb.record import Origin, sha256_hex
from perfdb.registry.importers.definitions import source_of
from perfdb.registry.importers.imported import Imported, Part, Skipped
from perfdb.registry.remarks import save_remark
from perfdb.registry.store import RECORD_FILE, SUMS_FILE, Registry

Key = tuple[str, str | None]
# From files by their path in the registry, and the record that is then there, to the first fault, in words.
Judge = Callable[[Mapping[str, bytes], str], str | None]


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
    parts: Iterable[Part],
    registry: Registry,
    *,
    judge: Judge,
    dry_run: bool = False,
    on_part: Callable[[Saved], None] | None = None,
) -> Saved:
    """Save what an importer yields, as it yields it.

    A run is known by its kind of source and its content, whatever perfdb imported it and under whichever label. One that
    its source deleted since then is retracted. What others would refuse is told and not saved.

    Args:
        judge: Asked of all that is about to be written.
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
            _save(part, registry, known, saved, judge, dry_run=dry_run)
        if on_part:
            on_part(saved)
    return saved


def _save(
    part: Imported, registry: Registry, known: dict[Key, str], saved: Saved, judge: Judge, *, dry_run: bool
) -> None:
    record = part.record
    key = _key(record.origin)
    is_new = key not in known
    record_id = known.get(key, record.record_id)
    retraction = part.retraction and part.retraction.model_copy(update={"record_id": record_id})
    if retraction is not None and (registry.root / retraction.file).exists():
        retraction = None
    files = _files(part, registry) if is_new else {}
    if retraction is not None:
        files[retraction.file] = retraction.to_bytes()
    if files and (fault := judge(files, record_id)) is not None:
        saved.skipped.append(Skipped(record.origin.source or record_id, f"`perfdb validate` would refuse it: {fault}"))
        return
    if is_new:
        if not dry_run:
            registry.save(record, part.files)
        known[key] = record_id
        saved.added.append(record_id)
        saved.statuses[record.status] = saved.statuses.get(record.status, 0) + 1
    else:
        saved.known += 1
    if retraction is not None:
        saved.retracted.append(record_id)
        if not dry_run:
            save_remark(registry.root, retraction)


def _files(part: Imported, registry: Registry) -> dict[str, bytes]:
    """What `Registry.save` is about to write, by path in the registry."""
    folder = registry.folder_of(part.record).relative_to(registry.root).as_posix()
    files = {**part.files, RECORD_FILE: part.record.to_bytes()}
    sums = "".join(f"{sha256_hex(data)}  {name}\n" for name, data in sorted(files.items()))
    return {f"{folder}/{name}": data for name, data in [*files.items(), (SUMS_FILE, sums.encode())]}


def _key(origin: Origin) -> Key:
    return source_of(origin.source_kind or ""), origin.source_sha256


def _known(registry: Registry) -> dict[Key, str]:
    """Every imported record's id. One that can't be read is for `perfdb validate` to tell."""
    found: dict[Key, str] = {}
    for entry in registry.entries():
        if not isinstance(entry, RecordError) and entry.record.origin.kind == "imported":
            found.setdefault(_key(entry.record.origin), entry.record.record_id)
    return found
