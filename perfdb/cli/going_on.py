"""What was interrupted and waits for the same command: gone on with, begun anew, or given up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfdb.campaigns.plan import Plan
    from perfdb.cli.terminal import Voice
    from perfdb.families import Family
    from perfdb.runner import Asked, Mirror, Outcome
    from perfdb.settings import Settings


def begun_or_new(plan: Plan, settings: Settings, voice: Voice, *, fresh: bool) -> Plan:
    """The plan for the same that waits, if there is one, else this one. `fresh` gives up the one that waits.

    Raises:
        RegistryError: it is to be given up, and another process is measuring it.
    """
    from perfdb.campaigns.plan import measured_elsewhere, waiting
    from perfdb.errors import RegistryError

    begun = next((other for other in waiting(settings.state_path) if other.key == plan.key), None)
    if begun is None:
        return plan
    what = _kind(begun)
    where = measured_elsewhere(begun, settings.state_path)
    if not fresh:
        if where is None:  # else whoever goes on is told so, and it is not gone on with
            voice.say(
                f"going on with the {what} that was begun at {_when(begun)}{_done(begun, settings)} (--fresh begins anew)"
            )
        return begun
    if where is not None:
        raise RegistryError(f"the same {what} is being measured {where}. End it first, or wait for it.")
    _give_up(begun, settings, voice)
    return plan


def run_or_go_on(asked: Asked, settings: Settings, voice: Voice, mirror: Mirror, *, fresh: bool) -> Outcome:
    """One run of a family whose runs are gone on with.

    Raises:
        PerfdbError: as `perfdb.campaigns.going_on.run_or_go_on`.
    """
    from perfdb.campaigns.going_on import plan_of_one
    from perfdb.campaigns.going_on import run_or_go_on as run

    plan = begun_or_new(plan_of_one(asked, settings), settings, voice, fresh=fresh)
    to_go_on = (
        f"Type the same command again to go on from there, or `perfdb run {asked.family.name} --drop` to make a record of what there "
        "is."
    )
    return run(plan, settings, voice, mirror, to_go_on=to_go_on)


def drop_all(settings: Settings, voice: Voice, *, as_json: bool) -> None:
    """Give up whatever waits."""
    from perfdb.campaigns.plan import forget_unreadable, waiting

    unreadable = forget_unreadable(settings.state_path)
    if unreadable:
        voice.say(f"{unreadable} plans of another perfdb were given up too: `perfdb sync` files what they measured.")
    _drop(waiting(settings.state_path), unreadable, "sweep", settings, voice, as_json=as_json)


def drop_runs(family: Family, settings: Settings, voice: Voice, *, as_json: bool) -> None:
    """Give up the runs of this family that wait."""
    from perfdb.campaigns.going_on import is_of_one
    from perfdb.campaigns.plan import waiting

    plans = [plan for plan in waiting(settings.state_path) if is_of_one(plan)]
    mine = [plan for plan in plans if plan.seats[0].request.family == family.name]
    _drop(mine, 0, f"run of {family.name}", settings, voice, as_json=as_json)


def _drop(plans: Sequence[Plan], already: int, what: str, settings: Settings, voice: Voice, *, as_json: bool) -> None:
    from perfdb.campaigns.plan import measured_elsewhere
    from perfdb.cli.terminal import print_json

    left_alone = 0
    for plan in plans:
        if (where := measured_elsewhere(plan, settings.state_path)) is not None:
            voice.say(f"the {_kind(plan)} of {_when(plan)} is being measured {where}: it is left alone.")
            left_alone += 1
        else:
            _give_up(plan, settings, voice)
    dropped = len(plans) - left_alone + already
    if not dropped:
        voice.say("nothing else waits." if left_alone else f"no interrupted {what} is waiting.")
    if as_json:
        print_json({"dropped": dropped, "left_alone": left_alone})


def _give_up(plan: Plan, settings: Settings, voice: Voice) -> None:
    from perfdb.campaigns.plan import forget
    from perfdb.runner.syncing import sync_all

    forget(plan, settings.state_path)
    report = sync_all(settings, voice, with_mlflow=True)
    voice.say(report.sentence())
    for trouble in report.troubles:
        voice.warn(trouble)


def _done(plan: Plan, settings: Settings) -> str:
    from perfdb.campaigns.going_on import is_of_one, steps_done

    if not is_of_one(plan):
        return ""
    done, count = steps_done(plan, settings)
    return f": {done} of {count} steps are done already"


def _kind(plan: Plan) -> str:
    from perfdb.campaigns.going_on import is_of_one

    return "run" if is_of_one(plan) else "sweep"


def _when(plan: Plan) -> str:
    return f"{plan.made_at:%Y-%m-%d %H:%M} UTC"
