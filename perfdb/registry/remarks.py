"""Remarks on records: new files beside them, `_retractions/` and `_annotations/`."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from perfdb.errors import RecordError
from perfdb.record import Annotation, Retraction, fingerprint
from perfdb.registry.durable import cannot_write, replace

LARGEST_REMARK = 1024 * 1024
AnyRemark = TypeVar("AnyRemark", Annotation, Retraction)


@dataclass(frozen=True)
class Remarks:
    """What is said about one record: why it is withdrawn, and the annotations on it, oldest first."""

    retraction: Retraction | None = None
    annotations: tuple[Annotation, ...] = ()

    def __bool__(self) -> bool:
        return self.retraction is not None or bool(self.annotations)

    @property
    def mark(self) -> str | None:
        """A short name that only the same remarks have; None where there are none."""
        said = [self.retraction, *self.annotations] if self.retraction else self.annotations
        return fingerprint([remark.uuid for remark in said if remark]) if said else None

    @property
    def tags(self) -> dict[str, str]:
        """The labels that the annotations give; of two for one name, the later one."""
        return {name: value for remark in self.annotations for name, value in (remark.tags or {}).items()}


NO_REMARKS = Remarks()


def save_remark(root: Path, remark: Annotation | Retraction) -> Path:
    """Write a remark, whole or not at all; one that is there already is left as it is.

    Args:
        root: The registry.

    Raises:
        RegistryError: it can't be written.
    """
    path = root / remark.file
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, remark.to_bytes())
    except OSError as error:
        raise cannot_write(path, error, "Nothing was changed.") from error
    return path


def retractions_of(root: Path) -> dict[str, Retraction]:
    """The first retraction of each withdrawn record, by record id. What can't be read is for `perfdb validate` to tell."""
    found: dict[str, Retraction] = {}
    for path in _files(root / "_retractions"):
        with contextlib.suppress(RecordError):
            retraction = read_remark(path, root, Retraction)
            known = found.get(retraction.record_id)
            if known is None or (retraction.at, retraction.uuid) < (known.at, known.uuid):
                found[retraction.record_id] = retraction
    return found


def annotations_of(root: Path) -> list[Annotation]:
    """Every annotation, oldest first. What can't be read is for `perfdb validate` to tell."""
    found = []
    for path in _files(root / "_annotations"):
        with contextlib.suppress(RecordError):
            found.append(read_remark(path, root, Annotation))
    return sorted(found, key=lambda remark: (remark.at, remark.uuid))


def remarks_of(root: Path) -> dict[str, Remarks]:
    """What is said about each record of a registry that something is said about, by record id."""
    retractions = retractions_of(root)
    annotated: dict[str, list[Annotation]] = {}
    for remark in annotations_of(root):
        for record_id in dict.fromkeys(remark.record_ids):
            annotated.setdefault(record_id, []).append(remark)
    return {
        record_id: Remarks(retractions.get(record_id), tuple(annotated.get(record_id, ())))
        for record_id in {**retractions, **annotated}
    }


def remarks_on(record_id: str, root: Path) -> Remarks:
    """What is said about one record of a registry."""
    return remarks_of(root).get(record_id, NO_REMARKS)


def read_remark(path: Path, root: Path, kind: type[AnyRemark]) -> AnyRemark:
    """One remark, which must be spelled canonically and lie where it belongs.

    Raises:
        RecordError: it is none.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_REMARK:
            raise RecordError(f"{path} is no plain file of at most {LARGEST_REMARK} bytes, as a remark is.")
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        remark = kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise RecordError(f"{path} is no valid {kind.__name__.lower()}: {field}: {first['msg']}.") from error
    if remark.to_bytes() != data or path != root / remark.file:
        raise RecordError(f"{path} was changed, or moved, after it was written. Restore it from git.")
    return remark


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(folder.glob("[!.]*.json"))
