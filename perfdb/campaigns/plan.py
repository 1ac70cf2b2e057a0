"""What a sitting is made of: its arms with their requests, and where it waits if it is to be gone on with."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from perfdb.errors import RegistryError
from perfdb.families import FAMILIES
from perfdb.processes.lock import Lock
from perfdb.record import fingerprint, new_uuid, sha256_hex
from perfdb.registry import Journal
from perfdb.registry.durable import cannot_write, replace
from perfdb.runner import Asked, RunRequest
from perfdb.runner.run import request_for
from perfdb.settings import Settings

WAIT_S = 30.0
# They name files.
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{16,32}$")]


@dataclass(frozen=True)
class Arm:
    """One set-up among those that take turns.

    Attributes:
        label: For people, such as `local_htex, Parsl 2025.8.4`.
        asked: What to measure.
        refused: Why it cannot be measured at all; it becomes a failed record.
    """

    label: str
    asked: Asked
    refused: str | None = None


class Seat(BaseModel):
    """An arm's place in a sitting. `run` names its journal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    run: Hex
    request: RunRequest
    refused: str | None = None


class Plan(BaseModel):
    """A sitting. `key` is the same for whoever asks for the same again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uuid: Hex
    key: Hex
    made_at: AwareDatetime
    seats: tuple[Seat, ...]


def plan_for(arms: Sequence[Arm], settings: Settings) -> Plan:
    """A new sitting of those arms."""
    now = datetime.now(UTC)
    seats = tuple(
        Seat(label=arm.label, run=new_uuid(), request=request_for(arm.asked, settings, now), refused=arm.refused)
        for arm in arms
    )
    return Plan(uuid=new_uuid(), key=_key(seats), made_at=now, seats=seats)


def _key(seats: Sequence[Seat]) -> str:
    """Of what is asked for and of the configs as they stand: a config that was edited is another question."""
    asked = {
        "family",
        "target",
        "spec",
        "experiment",
        "machine",
        "timeout_s",
        "overrides",
        "parsl",
        "release",
        "python",
    }
    told = [[s.label, s.request.model_dump(mode="json", include=asked), _content(s.request.target)] for s in seats]
    return fingerprint([*told, *map(_besides, seats)] if any(map(_besides, seats)) else told)[:16]


def _besides(seat: Seat) -> list[str]:
    """Where a run's own files go, and the content of the files that its options name."""
    unkept = FAMILIES[seat.request.family].unkept
    texts = {name: text for name, text in seat.request.spec.items() if isinstance(text, str)}
    named = [text for name, text in texts.items() if text.endswith(".toml") or name in unkept]
    folder = seat.request.output_dir
    return [*([] if folder is None else [str(folder)]), *map(_content, named)]


def _content(target: str) -> str:
    try:
        path = Path(target)
        return sha256_hex(path.read_bytes()) if path.is_file() else ""  # a pipe would keep us waiting
    except (OSError, ValueError):  # whoever loads it says what is wrong with it
        return ""


def waiting(state_path: Path) -> list[Plan]:
    """Sittings that were interrupted, or are under way in another process, oldest first."""
    found = []
    for path in sorted(_folder(state_path).glob("*.json")):
        with contextlib.suppress(OSError, ValidationError):  # another perfdb's: it knows how to go on with it
            found.append(Plan.model_validate_json(path.read_bytes()))
    return sorted(found, key=lambda plan: plan.made_at)


def put_by(plan: Plan, state_path: Path) -> None:
    """Keep a plan, so that its sitting can be gone on with after whatever interrupts it.

    Raises:
        RegistryError: it can't be written, or another plan for the same stands there; nothing was measured yet.
    """
    path = _path(plan, state_path)
    try:
        with Lock(state_path / "locks" / f"plan-{plan.key}", wait_s=WAIT_S):
            if path.exists() and _uuid_in(path) != plan.uuid:
                raise RegistryError(
                    f"the same was begun before, or by another process at this moment ({path}). Type the same command again to "
                    "go on with it; if that says this again, `perfdb sweep --drop`, which gives up whatever waits."
                )
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace(path, plan.model_dump_json().encode())
    except OSError as error:
        raise cannot_write(path, error, "Nothing was measured.") from error


def forget(plan: Plan, state_path: Path) -> None:
    """All its records are kept, or it is given up: from here on its journals are like any others.

    Raises:
        RegistryError: its file cannot be removed.
    """
    path = _path(plan, state_path)
    try:
        if _uuid_in(path) == plan.uuid:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise RegistryError(f"{path} cannot be removed: {error.strerror}. Remove it by hand.") from error


def forget_unreadable(state_path: Path) -> int:
    """Plans that nobody here can go on with, such as another perfdb's, are given up; how many there were."""
    known = {_path(plan, state_path) for plan in waiting(state_path)}
    unreadable = [path for path in _folder(state_path).glob("*.json") if path not in known]
    for path in unreadable:
        path.unlink(missing_ok=True)
    return len(unreadable)


def _uuid_in(path: Path) -> str | None:
    """Whose plan a file is; None where there is none that can be read."""
    try:
        return Plan.model_validate_json(path.read_bytes()).uuid
    except (OSError, ValidationError):
        return None


def measured_elsewhere(plan: Plan, state_path: Path) -> str | None:
    """`here` or `on another host` where some process is measuring it, for a sentence; None where it waits."""
    for seat in plan.seats:
        owner = Journal(state_path / "journal" / seat.run).owner
        if owner is not None and not owner.is_here:
            return "on another host"  # whether that one lives can only be judged there
        if owner is not None and owner.alive():
            return "here"
    return None


def _folder(state_path: Path) -> Path:
    return state_path / "sittings"


def _path(plan: Plan, state_path: Path) -> Path:
    return _folder(state_path) / f"{plan.key}.json"
