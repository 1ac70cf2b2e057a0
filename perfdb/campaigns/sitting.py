"""Arms that take turns: a child of each, forth and back (A B B A …), so that whatever comes and goes on the machine
meanwhile comes to all of them alike."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from perfdb.campaigns.plan import Plan, Seat, measured_elsewhere
from perfdb.errors import ConfigError, Interrupted, ParslInstallError, PerfdbError, RegistryError, UsageError
from perfdb.families import FAMILIES
from perfdb.processes.lock import Lock
from perfdb.redaction import Identity, Redactor
from perfdb.registry import Journal
from perfdb.registry.journal import BALLAST_BYTES as ALONE_BYTES
from perfdb.registry.store import read_record
from perfdb.runner import Outcome
from perfdb.runner.assemble import REFUSED, SITTING, child_runs
from perfdb.runner.lab import MeasurementStopped, Observer
from perfdb.runner.measuring import Measuring, begin
from perfdb.runner.recover import end_what_runs
from perfdb.runner.run import keep, write_end
from perfdb.settings import Settings
from perfdb.units import counted, duration

# The journals of many arms stand side by side: each keeps as much room as a record takes, not more.
BALLAST_BYTES = 1024 * 1024
LOCK_WAIT_S = 60.0
_PATH = re.compile(r"(?:file://|(?<![\w/:]))(?:/[\w.@+~-]+){2,}/?")


@dataclass
class Place:
    """A seat and how far it is: `turns` has the place in the order of all for each of its children so far."""

    seat: Seat
    journal: Journal
    begun: float | None = None
    measuring: Measuring | None = None
    turns: list[int] = field(default_factory=list)
    outcome: Outcome | None = None
    spent_s: list[float] = field(default_factory=list)

    @property
    def children_left(self) -> int:
        """At most."""
        if self.measuring is None or self.measuring.over:
            return 0
        family = FAMILIES[self.seat.request.family]
        return max(1, family.child_count(family.spec.model_validate(self.seat.request.spec)) - len(self.turns))


class _Labelled:
    """An observer that says of which arm it hears."""

    def __init__(self, observer: Observer, label: str) -> None:
        self.observer = observer
        self.label = label
        self.tick_s = observer.tick_s

    def say(self, text: str) -> None:
        self.observer.say(f"{self.label}: {text}")

    def progress(self, child: str, text: str) -> None:
        if self.tick_s is not None:  # hundreds of children's lines are no news in a file
            self.observer.progress(f"{self.label}, {child}", text)

    def tick(self) -> None:
        self.observer.tick()


def take_turns(plan: Plan, settings: Settings, observer: Observer, *, to_go_on: str | None) -> list[Place]:
    """Measure all arms, or go on where an earlier process was interrupted. Each arm's record is kept as soon as its last
    child has ended.

    Args:
        to_go_on: What to type after an interruption, which leaves the rest for later; None where what was measured until
            then becomes records instead.

    Returns:
        The seats in their order, each with its outcome.

    Raises:
        Interrupted: by Ctrl-C or a signal; the message says what is kept.
        RegistryError: a journal or a record cannot be written; nothing that was measured is lost.
    """
    places: list[Place] = []
    try:
        with seating(plan, settings):
            for seat in plan.seats:  # one by one: Ctrl-C must find those that are there
                places.append(seated(seat, plan, settings, resumable=to_go_on is not None))
        _start_all(places, settings, observer)
        _rounds(plan, places, settings, observer)
    except (KeyboardInterrupt, MeasurementStopped) as stopped:
        raise _interrupted(places, settings, to_go_on) from stopped
    return places


@contextlib.contextmanager
def seating(plan: Plan, settings: Settings) -> Iterator[None]:
    """While this lasts, nobody else begins the same.

    Raises:
        RegistryError: another process is measuring it.
    """
    with Lock(settings.state_path / "locks" / f"sitting-{plan.key}", wait_s=LOCK_WAIT_S):
        if (where := measured_elsewhere(plan, settings.state_path)) is not None:
            raise RegistryError(
                f"another perfdb process {where} is measuring the same at this moment. Wait for it, or end it and type the same "
                "command again: it goes on from there."
            )
        yield


def seated(seat: Seat, plan: Plan, settings: Settings, *, resumable: bool) -> Place:
    """The seat with its journal: a new one, or what an interrupted process left."""
    path = settings.state_path / "journal" / seat.run
    if not path.exists():
        journal = Journal.create(
            settings.state_path,
            seat.request.model_dump(mode="json"),
            run=seat.run,
            waits={"plan": plan.key} if resumable else None,
            ballast_bytes=BALLAST_BYTES if len(plan.seats) > 1 else ALONE_BYTES,
        )
        return Place(seat, journal, begun=time.monotonic())
    place = Place(seat, Journal(path))
    end_what_runs(place.journal)
    place.journal.adopt()
    told: dict[str, Any] = place.journal.read(SITTING) or {"turns": []}
    if recorded := place.journal.read("recorded.json"):
        folder = Path(recorded["folder"])
        place.outcome = Outcome(read_record(folder / "record.json"), folder, None)
    elif (
        place.journal.read("end.json") is not None
    ):  # closed, and cut off before its record was noted: the same one again
        place.outcome = keep(place.journal, settings)
    else:
        _set_cut_child_aside(place.journal, seat.request.work_path)
    place.turns = list(told["turns"])[: len(place.journal.log_paths())]
    return place


def _set_cut_child_aside(journal: Journal, work_path: Path) -> None:
    """A child that did not come to its own end is run again; its log stays in the journal under another name."""
    ended = set()
    for run, path in zip(child_runs(journal), journal.log_paths(), strict=True):
        if run.log.exit.reason == "ended":
            ended.add(path.stem.partition("-")[2])
        else:
            path.rename(path.with_suffix(".cut"))
    for folder in (work_path / journal.run).glob("*"):
        if folder.name not in ended:  # that child's own, or one whose supervisor did not come to write a log
            shutil.rmtree(folder, ignore_errors=True)


def _start_all(places: Sequence[Place], settings: Settings, observer: Observer) -> None:
    """Describe every arm's config; an arm that cannot be measured becomes a failed record.

    Raises:
        PerfdbError: none can be, for a reason that lies in what was asked for rather than in any arm.
    """
    refusals: list[tuple[Place, PerfdbError]] = []
    for number, place in enumerate(places, 1):
        if place.outcome is None and place.seat.refused is None:
            observer.progress("preparing", f"{number} of {len(places)}: {place.seat.label}")
            try:
                place.measuring = begin(
                    place.seat.request, settings, place.journal, _Labelled(observer, place.seat.label), lambda: None
                )
            except (ConfigError, ParslInstallError, UsageError) as error:
                if place.journal.log_paths():
                    raise RegistryError(
                        f"{place.seat.label} was measured in part and cannot be gone on with: {error} What was measured is safe "
                        "in the journal; mend that and type the same command again, or begin anew with --fresh."
                    ) from error
                refusals.append((place, error))
    if len(refusals) == len(places):
        for place in places:
            place.journal.remove()
        raise refusals[0][1]
    for place in places:
        if place.outcome is None and place.seat.refused is not None:
            refusals.append((place, PerfdbError(place.seat.refused)))
    for place, refusal in refusals:
        observer.say(f"{place.seat.label} cannot be measured, which is kept as a failed record: {refusal}")
        place.journal.write(REFUSED, {"reason": Redactor((), Identity.here()).text(_without_paths(str(refusal)))})
        finish(place, settings)
    for place in places:
        if place.outcome is None and place.children_left == 0:  # cut off after its last child
            finish(place, settings)


def _without_paths(text: str) -> str:
    """An installer's words name folders of this machine, which are nobody else's business: their last parts say enough."""
    return _PATH.sub(lambda path: Path(path.group()).name, text)


def _rounds(plan: Plan, places: Sequence[Place], settings: Settings, observer: Observer) -> None:
    turn = max((turn for place in places for turn in place.turns), default=0)
    while under_way := [place for place in places if place.children_left]:
        # Those that an interruption kept from their turn come first; then it is all of them, forth and back.
        rounds = min(len(place.turns) for place in under_way)
        behind = [place for place in under_way if len(place.turns) == rounds]
        for place in reversed(behind) if rounds % 2 else behind:
            turn += 1
            observer.say(_told(turn, place, places))
            _turn(plan, place, turn)
            if place.children_left == 0:
                finish(place, settings)


def _turn(plan: Plan, place: Place, turn: int) -> None:
    measuring = place.measuring
    assert measuring is not None
    place.turns.append(turn)
    place.journal.write(SITTING, {"uuid": plan.uuid, "turns": place.turns})
    begun = time.monotonic()
    try:
        measuring.step()
    except MeasurementStopped:
        if measuring.lab.interrupted:
            raise
        # It ran out of its own time, or its supervisor was killed: that is this arm's end, not the others'.
    place.spent_s.append(time.monotonic() - begun)


def _told(turn: int, place: Place, places: Sequence[Place]) -> str:
    left_s = _left_s(places)
    left = f", about {duration(round(left_s))} left" if left_s is not None else ""
    total = turn - 1 + sum(p.children_left for p in places)
    return f"[{turn} of {total}{left}] {place.seat.label}"


def _left_s(places: Sequence[Place]) -> float | None:
    """Seconds that the rest will take, if each arm's children take as long as they did; None before the first ended."""
    every = [seconds for place in places for seconds in place.spent_s]
    if not every:
        return None
    mean = sum(every) / len(every)
    return sum(p.children_left * (sum(p.spent_s) / len(p.spent_s) if p.spent_s else mean) for p in places)


def finish(place: Place, settings: Settings) -> None:
    """Make the arm's record."""
    begun = place.begun
    # A clock that counts from the machine's start says nothing about what another process began before.
    took_s = (
        time.monotonic() - begun
        if begun is not None
        else (datetime.now(UTC) - place.seat.request.started_at).total_seconds()
    )
    write_end(place.journal, max(0.0, took_s))
    place.outcome = keep(place.journal, settings)


def _interrupted(places: Sequence[Place], settings: Settings, to_go_on: str | None) -> Interrupted:
    """What becomes of an interrupted sitting, in words."""
    measured = sum(len(place.turns) for place in places)
    if to_go_on is not None:
        return Interrupted(f"interrupted after {counted(measured, 'turn')}, which are safe in the journal. {to_go_on}")
    kept = []
    for place in places:
        if place.outcome is None and place.journal.log_paths():
            with contextlib.suppress(PerfdbError):  # it stays in the journal, and `perfdb sync` tries again
                finish(place, settings)
        elif place.outcome is None:
            place.journal.remove()
        if place.outcome is not None:
            kept.append(place.outcome.record.record_id)
    if not kept:
        return Interrupted("interrupted before anything was measured; nothing was left behind.")
    return Interrupted(f"interrupted: what was measured until then is kept as {', '.join(kept)}.")
