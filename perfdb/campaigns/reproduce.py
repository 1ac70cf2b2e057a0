"""A record's run once more: what to ask for, with which config, and what is unlike afterwards."""

from __future__ import annotations

import re
import stat
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from perfdb.compare.comparison import Difference
from perfdb.compare.dimensions import dimensions_of
from perfdb.errors import ConfigError, RecordError, UsageError
from perfdb.families import FAMILIES, Family
from perfdb.parsl_config import describe
from perfdb.parsl_config.install import is_release
from perfdb.record import Direction, Record, Scalar, sha256_hex
from perfdb.record.model import Finite, Frozen
from perfdb.redaction import Identity
from perfdb.redaction.spans import without_markers
from perfdb.registry import Entry
from perfdb.registry.durable import cannot_write, replace
from perfdb.settings import Settings

CONFIG_FOLDER = "parsl-configs"
KEPT_CONFIG = "artifacts/config.py"
LARGEST_CONFIG = 1024 * 1024
# A record comes from anybody: its config's name must not lead anywhere.
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
# Told as what the new run is, not as what differs.
_EXPECTED = frozenset({"machine_fingerprint"})


@dataclass(frozen=True)
class Again:
    """What is to be done again, as far as the record says it.

    Attributes:
        spec: The family's own options.
        timeout_s: As the first run had it.
        release: The Parsl release; None where it was none that can be installed again by its number.
        measured: The Parsl in words, for who must find it.
    """

    record: Record
    family: Family
    spec: dict[str, Scalar]
    timeout_s: float | None
    release: str | None
    measured: str


class Beside(Frozen):
    """One metric of the old record and of the new one: medians over repetitions, and their number."""

    metric: str
    unit: str
    direction: Direction
    before: Finite
    before_n: int
    after: Finite
    after_n: int
    ratio: Finite | None


def again(record: Record, reps: int | None = None) -> Again:
    """What to ask for, to do a record's run again.

    Args:
        reps: Another number of repetitions.

    Raises:
        UsageError: it is none that perfdb can do again.
    """
    if record.origin.kind != "measured":
        raise UsageError(
            f"record {record.record_id} was imported from {record.origin.source_kind}: perfdb did not measure it and cannot "
            "do so again. Measure something like it with `perfdb run`."
        )
    family = FAMILIES.get(record.family)
    if family is None:
        raise UsageError(
            f"record {record.record_id} is of the family {record.family!r}, which this perfdb does not know. It knows "
            f"{', '.join(sorted(FAMILIES))}: update perfdb."
        )
    if record.config is None:
        raise UsageError(
            f"the config of record {record.record_id} never loaded, so there is no run to do again. Measure it with "
            f"`perfdb run {family.name} CONFIG`."
        )
    asked = dict(record.spec)
    timeout_s = asked.pop("timeout_s", None)
    if reps is not None:
        asked["reps"] = reps
    try:
        spec = family.spec.model_validate(asked).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(
            f"record {record.record_id} asks for what this perfdb cannot do: {'.'.join(map(str, first['loc']))}: "
            f"{first['msg']}. The perfdb that measured it was {record.code.perfdb_version}."
        ) from error
    version, source = record.code.measured.get("parsl"), record.code.measured.get("parsl_source")
    return Again(
        record=record,
        family=family,
        spec=spec,
        timeout_s=float(timeout_s) if isinstance(timeout_s, int | float) else None,
        release=version if version is not None and source is None and is_release(version) else None,
        measured=f"Parsl {version or 'of an unknown version'}{f', {source}' if source else ''}",
    )


def target_for(asked: Again, target: str | None) -> str | None:
    """What to measure where the record is of something that no file describes; None where it is of a Parsl config.

    Raises:
        UsageError: it is named for a config, or not named for another thing.
    """
    record, subject = asked.record, asked.family.subject
    if subject is None:
        if target is not None:
            raise UsageError(f"record {record.record_id} measured a Parsl config: name it with --config FILE.")
        return None
    if target is None and subject.again is not None:
        target = subject.again(record.params)
    if target is None:
        raise UsageError(
            f"record {record.record_id} does not keep the {subject.metavar} that it measured. Type: perfdb reproduce "
            f"{record.record_id} {subject.metavar}"
        )
    return target


def config_for(asked: Again, entry: Entry, settings: Settings, config: Path | None, *, use_kept: bool) -> Path:
    """The file to measure; whether it is the record's config is for `check_config` to find out.

    Args:
        config: The file that the user names; None to look in parsl-configs/.
        use_kept: Take the source that the record keeps.

    Raises:
        ConfigError: there is none; says what to do.
        RegistryError: the record's own can't be put where it can be loaded.
    """
    record = asked.record
    assert record.config is not None
    name = record.config.name
    if not _FILE_NAME.fullmatch(name):
        raise ConfigError(
            f"the config of record {record.record_id} is called {name[:80]!r}, as no file here may be. Measure it under "
            f"another name with `perfdb run {asked.family.name} CONFIG`."
        )
    if use_kept:
        return _kept(entry, settings)
    path = config or settings.root / CONFIG_FOLDER / f"{name}.py"
    if not path.is_file():
        raise ConfigError(f"there is no file {path}. {_ways_out(record, name)}")
    if path.name != f"{name}.py":
        raise ConfigError(
            f"the config of record {record.record_id} is called {name}.py, and {path.name} would be filed as another one. "
            "Copy it to a file of that name, and name that with --config."
        )
    return path


def check_config(path: Path, asked: Again, settings: Settings, python: Path) -> None:
    """See that a file's redacted source is the one that was measured.

    Args:
        python: The Python whose Parsl is to be measured; it loads the config if its secrets must be known to tell.

    Raises:
        ConfigError: it is another, or does not load; says what to do.
    """
    record = asked.record
    assert record.config is not None
    known = record.config.source_sha256
    if path.stat().st_size <= LARGEST_CONFIG and sha256_hex(path.read_bytes()) == known:
        return
    described = describe(path, python=python, timeout_s=settings.config_timeout_s, identity=Identity.here())
    if described.source_sha256 != known:
        raise ConfigError(
            f"{path} is another config than the one that record {record.record_id} measured: its redacted source has the "
            f"SHA-256 {described.source_sha256[:12]}…, the record's {known[:12]}…. {_ways_out(record, record.config.name)}"
        )


def differences(old: Record, new: Record) -> tuple[Difference, ...]:
    """What is unlike between two records besides their numbers, each with both values as text."""
    before, after = dimensions_of(old), dimensions_of(new)
    names = [*before, *(name for name in after if name not in before)]
    return tuple(
        Difference(dimension=name, values=((_text(before.get(name)),), (_text(after.get(name)),)))
        for name in names
        if before.get(name) != after.get(name) and name not in _EXPECTED
    )


def side_by_side(old: Record, new: Record, names: Sequence[str]) -> tuple[Beside, ...]:
    """The metrics of those names that both records have in one unit."""
    found = []
    for name in names:
        before, after = old.metric(name), new.metric(name)
        if before is None or after is None or before.unit != after.unit:
            continue
        a, b = statistics.median(before.all_values), statistics.median(after.all_values)
        found.append(
            Beside(
                metric=name,
                unit=after.unit,
                direction=after.direction,
                before=a,
                before_n=len(before.all_values),
                after=b,
                after_n=len(after.all_values),
                ratio=b / a if a > 0 and b > 0 else None,
            )
        )
    return tuple(found)


def _ways_out(record: Record, name: str) -> str:
    shown = f"`perfdb show {record.record_id}` names the folder whose {KEPT_CONFIG} is what was measured"
    return (
        f"{shown}: put that, with its secrets filled in, at {CONFIG_FOLDER}/{name}.py, or name a file with --config. If you "
        "have read it and trust whoever wrote it, --use-kept-config runs it as it is."
    )


def _kept(entry: Entry, settings: Settings) -> Path:
    """The record's own config, under its own name, below the state folder."""
    record = entry.record
    assert record.config is not None
    path = entry.folder / KEPT_CONFIG
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_CONFIG:
            raise RecordError(f"{path} is no plain file of at most 1 MB, as a config is. Restore it from git.")
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"record {record.record_id} keeps no config that can be read ({error.strerror}). Name a file with --config."
        ) from error
    if sha256_hex(data) != record.config.source_sha256:
        raise RecordError(f"{path} is not what its record says it is. Restore it from git.")
    text = data.decode(errors="replace")
    if without_markers(text) != text:
        raise ConfigError(
            f"the config that record {record.record_id} keeps had secrets, names or addresses in it, which were masked: it "
            f"cannot run like that. Copy {path} to {CONFIG_FOLDER}/{record.config.name}.py, fill in your own where the "
            "markers stand, and measure it with `perfdb run`; or name the file that was measured with --config."
        )
    copy = settings.state_path / "reproduce" / record.record_id / f"{record.config.name}.py"
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        replace(copy, data)
    except OSError as error:
        raise cannot_write(copy, error, "Nothing was measured.") from error
    return copy


def _text(value: Scalar) -> str:
    if value is None:
        return "unknown"
    return str(value).lower() if isinstance(value, bool) else str(value)
