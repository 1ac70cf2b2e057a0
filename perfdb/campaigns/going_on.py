"""A run that waits for the same command where it was interrupted: a sitting of one, told and shown as any other run."""

from __future__ import annotations

import shutil

from perfdb.campaigns.plan import Arm, Plan, forget, plan_for, put_by
from perfdb.campaigns.sitting import Place, finish, seated, seating
from perfdb.errors import ConfigError, Interrupted, ParslInstallError, PerfdbError, RegistryError, UsageError
from perfdb.families import FAMILIES
from perfdb.registry import Journal, Registry
from perfdb.runner import Asked, Mirror, NotWritten, Outcome
from perfdb.runner.assemble import child_runs
from perfdb.runner.lab import MeasurementStopped, Observer
from perfdb.runner.measuring import begin
from perfdb.runner.outputs import check_writable, write_outputs
from perfdb.settings import Settings


def plan_of_one(asked: Asked, settings: Settings) -> Plan:
    """A new sitting of one run; the same for whoever asks for the same under the same name."""
    return plan_for([Arm(asked.run_name or asked.family.name, asked)], settings)


def is_of_one(plan: Plan) -> bool:
    """Whether a plan that waits is such a run, and no sweep."""
    family = FAMILIES.get(plan.seats[0].request.family)
    return len(plan.seats) == 1 and family is not None and family.goes_on


def steps_done(plan: Plan, settings: Settings) -> tuple[int, int]:
    """How many of a waiting run's children came to their ends, and how many it takes at most."""
    (seat,) = plan.seats
    family = FAMILIES[seat.request.family]
    journal = Journal(settings.state_path / "journal" / seat.run)
    done = sum(run.log.exit.reason == "ended" for run in child_runs(journal))
    return done, family.child_count(family.spec.model_validate(seat.request.spec))


def run_or_go_on(plan: Plan, settings: Settings, observer: Observer, mirror: Mirror, *, to_go_on: str) -> Outcome:
    """Measure, or go on where an earlier process was interrupted, then keep the record and show it in MLflow.

    Args:
        plan: Of one seat.
        to_go_on: What to type after an interruption.

    Raises:
        PerfdbError: as `perfdb.runner.run`; what was measured waits in the journal.
        Interrupted: by Ctrl-C or a signal; says what is kept.
    """
    (seat,) = plan.seats
    Registry(settings.registry_path).check_writable()
    if seat.request.output_dir is not None:
        check_writable(seat.request.output_dir)
    put_by(plan, settings.state_path)
    place: Place | None = None
    try:
        with seating(plan, settings):
            place = seated(seat, plan, settings, resumable=True)
        outcome = _outcome(place, settings, observer, mirror)
    except (KeyboardInterrupt, MeasurementStopped) as stopped:
        mirror.close()
        raise _interrupted(plan, place, settings, to_go_on) from stopped
    except NotWritten:
        mirror.close()
        forget(plan, settings.state_path)  # the record is made: `perfdb sync` sees to the rest, as of any run
        raise
    except PerfdbError:
        mirror.close()
        _leave_nothing_unmeasured(plan, place, settings)
        raise
    try:
        forget(plan, settings.state_path)
        mirror.show(outcome.folder, place.journal)
    except KeyboardInterrupt:
        mirror.close()
        raise Interrupted(
            "interrupted after the measurement: it is safe, and `perfdb sync` finishes what is left to do."
        ) from None
    return outcome


def _outcome(place: Place, settings: Settings, observer: Observer, mirror: Mirror) -> Outcome:
    """What the run gave, once its last child has ended."""
    mirror.prepare(place.seat.request, place.journal)
    if place.outcome is not None:  # cut off when all but MLflow was done
        mirror.open()
        return _with_outputs(place, place.outcome)
    _measure(place, settings, observer, mirror)
    finish(place, settings)
    assert place.outcome is not None
    return place.outcome


def _with_outputs(place: Place, outcome: Outcome) -> Outcome:
    try:
        folder = write_outputs(place.seat.request, outcome.record, place.journal)
    except RegistryError as error:
        raise NotWritten(error, outcome) from error
    return Outcome(outcome.record, outcome.folder, outcome.parsl_logs, folder)


def _measure(place: Place, settings: Settings, observer: Observer, mirror: Mirror) -> None:
    journal = place.journal
    try:
        measuring = begin(place.seat.request, settings, journal, observer, mirror.open)
    except (ConfigError, ParslInstallError, UsageError) as error:
        if journal.log_paths():
            raise RegistryError(
                f"this was measured in part and cannot be gone on with: {error} What was measured is safe in the journal; mend "
                "that and type the same command again, or begin anew with --fresh."
            ) from error
        raise
    if journal.log_paths():  # an earlier process ran the first child
        mirror.open()
    try:
        while not measuring.over:
            try:
                measuring.step()
            except MeasurementStopped:
                if measuring.lab.interrupted or _was_lost(journal):
                    raise
                # It ran out of its time, and then it is over.
    finally:
        measuring.close()


def _interrupted(plan: Plan, place: Place | None, settings: Settings, to_go_on: str) -> Interrupted:
    """What becomes of an interrupted run, in words."""
    (seat,) = plan.seats
    if Journal(settings.state_path / "journal" / seat.run).log_paths():
        return Interrupted(f"interrupted: what was measured until then is safe in the journal. {to_go_on}")
    _leave_nothing_unmeasured(plan, place, settings)
    return Interrupted("interrupted before anything was measured; nothing was left behind.")


def _was_lost(journal: Journal) -> bool:
    """Whether the supervisor of the last child was killed: that costs the child, as it does where perfdb is killed with it."""
    runs = child_runs(journal)
    return bool(runs) and runs[-1].log.exit.reason == "lost"


def _leave_nothing_unmeasured(plan: Plan, place: Place | None, settings: Settings) -> None:
    """Forget a run of which nothing was measured; one whose journal we did not get at is another process's."""
    (seat,) = plan.seats
    journal = Journal(settings.state_path / "journal" / seat.run)
    if journal.log_paths() or (place is None and journal.path.exists()):
        return
    forget(plan, settings.state_path)
    shutil.rmtree(seat.request.work_path / journal.run, ignore_errors=True)
    journal.remove()
