"""Which records, remarks, machines and configs go along, read once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from perfdb.contribute.fault import Fault
from perfdb.contribute.intake import Intake
from perfdb.errors import RecordError, RegistryError
from perfdb.record import Annotation, Record, Retraction, parse_record, sha256_hex
from perfdb.registry import Registry
from perfdb.registry.remarks import LARGEST_REMARK
from perfdb.registry.store import LARGEST_RECORD, RECORD_FILE

REMARKS: tuple[tuple[str, type[Annotation] | type[Retraction]], ...] = (
    ("_annotations", Annotation),
    ("_retractions", Retraction),
)
CONFIG_FOLDER = "parsl-configs"
_DEPTH = 4


@dataclass(frozen=True)
class Known:
    """What the base has: paths below the registry."""

    folders: Collection[str]
    files: Collection[str]

    @property
    def record_ids(self) -> set[str]:
        """The records' ids, by the folders' names."""
        return {path.rpartition("/")[2] for path in self.folders if path.count("/") == _DEPTH - 1}


def folders_asked_for(registry: Registry, ids: Sequence[str], known: Known) -> tuple[list[str], list[str]]:
    """The chosen records' folders below the registry, and the ids of those asked for that the base has already.

    Raises:
        RegistryError: an id is nobody's, or several records'.
    """
    all_folders = [str(folder.relative_to(registry.root)) for folder in registry.folders()]
    chosen = [_named(all_folders, prefix) for prefix in ids] if ids else all_folders
    new = [folder for folder in dict.fromkeys(chosen) if folder not in known.folders]
    there = [folder.rpartition("/")[2] for folder in dict.fromkeys(chosen) if ids and folder in known.folders]
    return new, there


def take_record(intake: Intake, prefix: str, folder: str, known: Known) -> Record | None:
    """One record's files, and its machine's where the base has not got it; None, with faults noted, if it is none."""
    intake.take_folder(folder)
    name = f"{prefix}/{folder}/{RECORD_FILE}"
    copy = intake.copies.get(name)
    if copy is None or copy.stat().st_size > LARGEST_RECORD:
        intake.faults.append(Fault(name, "is no record of a size that can be read", "Restore it from git."))
        return None
    try:
        record = parse_record(copy.read_bytes())
    except RecordError as error:
        intake.faults.append(Fault(name, str(error), "Restore it from git, or leave it out."))
        return None
    environment = record.environment
    if environment.machine_fingerprint:
        file = f"_machines/{environment.machine}/{environment.machine_fingerprint}.json"
        if file not in known.files and (intake.root / file).exists():
            intake.take(file)
    return record


def take_remarks(
    intake: Intake, prefix: str, known: Known, chosen: Collection[str]
) -> tuple[list[Annotation | Retraction], int]:
    """The remarks that the base has not got, and how many were left out: those on records that nobody there would have."""
    there = known.record_ids | set(chosen)
    taken: list[Annotation | Retraction] = []
    left_out = 0
    for shelf, kind in REMARKS:
        for path in sorted((intake.root / shelf).glob("[!.]*.json")):
            file = f"{shelf}/{path.name}"
            if file in known.files or (copy := intake.take(file)) is None:
                continue
            name = f"{prefix}/{file}"
            remark = _remark(copy, kind)
            if remark is None or remark.file != file:
                intake.faults.append(Fault(name, f"is no valid {kind.__name__.lower()}", "Restore it from git."))
            elif there.issuperset(_about(remark)):
                taken.append(remark)
            else:
                del intake.copies[name]
                left_out += 1
    return taken, left_out


def take_configs(intake: Intake, records: Sequence[Record], known: Collection[str]) -> tuple[list[str], list[str]]:
    """The chosen records' configs that the base has not got, and why some were left out."""
    taken: list[str] = []
    notes: list[str] = []
    hashes: dict[str, set[str]] = {}
    for record in records:
        if record.config is not None:
            hashes.setdefault(record.config.name, set()).add(record.config.source_sha256)
    for name, sums in sorted(hashes.items()):
        file = f"{CONFIG_FOLDER}/{name}.py"
        if file in known:
            continue
        if "/" in name or not (intake.root / f"{name}.py").exists():
            notes.append(
                f"there is no config {name!r} in {CONFIG_FOLDER}/: it is left out; put it there under that name."
            )
            continue
        copy = intake.take(f"{name}.py")
        if copy is not None and sha256_hex(copy.read_bytes()) in sums:
            taken.append(file)
            continue
        intake.copies.pop(file, None)
        notes.append(
            f"{file} is not, byte for byte, what these records were measured with: it was edited since, or it holds what "
            "was redacted from them. It is left out; take secrets, names and addresses out of it and measure again."
        )
    return taken, notes


def _named(folders: Sequence[str], prefix: str) -> str:
    found = [folder for folder in folders if prefix and folder.rpartition("/")[2].startswith(prefix)]
    if not found:
        raise RegistryError(
            f"no record here has an id that starts with {prefix!r}; `perfdb list` shows those there are."
        )
    if len(found) > 1:
        ids = ", ".join(folder.rpartition("/")[2] for folder in found[:5])
        raise RegistryError(f"{len(found)} records have ids that start with {prefix!r}: {ids}. Type more digits.")
    return found[0]


def _remark(copy: Path, kind: type[Annotation] | type[Retraction]) -> Annotation | Retraction | None:
    if copy.stat().st_size > LARGEST_REMARK:
        return None
    data = copy.read_bytes()
    try:
        remark = kind.model_validate_json(data)
    except ValidationError:
        return None
    return remark if remark.to_bytes() == data else None


def _about(remark: Annotation | Retraction) -> tuple[str, ...]:
    return remark.record_ids if isinstance(remark, Annotation) else (remark.record_id,)
