"""`perfdb run … --against REF`: two configs, or two Parsls, measured in turns and compared."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from perfdb.cli.asked import asked_for, is_given
from perfdb.cli.found import find_config
from perfdb.errors import EXIT_FAILED, ConfigError, ParslInstallError, UsageError

if TYPE_CHECKING:
    from perfdb.campaigns.plan import Arm
    from perfdb.campaigns.sitting import Place
    from perfdb.cli.terminal import Voice
    from perfdb.compare.comparison import Comparison
    from perfdb.families import Family
    from perfdb.record import Record
    from perfdb.settings import Settings

# As many interleaved repetitions a side tell a difference of 10 % in most cases (benchmarks/statistics.py).
REPETITIONS = 10


def run_against(
    family: Family,
    settings: Settings,
    voice: Voice,
    reference: str,
    asked: dict[str, Any],
    fail_on: Sequence[str],
    *,
    as_json: bool,
) -> NoReturn:
    """Measure both in turns, keep both records, compare them, and end with the exit code that says how it went."""
    from perfdb.cli.compare import exit_code, show_in_mlflow
    from perfdb.cli.render import print_arms
    from perfdb.cli.render_comparison import print_comparison
    from perfdb.cli.terminal import print_json
    from perfdb.errors import STATUS_EXITS

    places = _measure(family, settings, voice, reference, asked)
    voice.done()
    records = [place.outcome.record for place in places if place.outcome is not None]
    comparison, refusal = None, ""
    if bad := next((record.record_id for record in records if record.status != "ok"), None):
        refusal = f"a side did not come to a valid end, so there is nothing to compare; why: perfdb show {bad}"
    else:
        try:
            comparison = _compared(places)
        except UsageError as error:  # what was measured stands, and is told
            refusal = _not_compared(error, records)
    if as_json:
        document = comparison.model_dump(mode="json") if comparison else None
        print_json({"records": [record.document() for record in records], "comparison": document})
    else:
        print_arms([(place.seat.label, record) for place, record in zip(places, records, strict=True)], family)
        if comparison is not None:
            print_comparison(comparison)
    if comparison is None:
        voice.warn(refusal)
    else:
        show_in_mlflow(settings, comparison, voice)
    code = max(STATUS_EXITS.get(record.status, EXIT_FAILED) for record in records)
    sys.exit(code or (exit_code(comparison, fail_on, _once(comparison, records)) if comparison else code))


def _once(comparison: Comparison, records: Sequence[Record]) -> list[str]:
    from perfdb.compare.remedies import is_once

    return [m.metric for case in comparison.cases for m in case.metrics if is_once(m.metric, records)]


def _not_compared(error: UsageError, records: Sequence[Record]) -> str:
    """Why not, and how both would be compared nevertheless."""
    from perfdb.compare.refusal import ANYWAY

    ids = " ".join(record.record_id for record in records)
    return (
        f"both are measured and kept, and not compared: {str(error).replace(ANYWAY, f'{ANYWAY}perfdb compare {ids} ')}"
    )


def _compared(places: Sequence[Place]) -> Comparison:
    from perfdb.cli.known import headlines, spec_defaults
    from perfdb.compare.between import Chosen, compare

    sides = [Chosen(place.seat.label, [place.outcome.record]) for place in places if place.outcome is not None]
    return compare(sides, headlines=headlines(), defaults=spec_defaults())


def _measure(family: Family, settings: Settings, voice: Voice, reference: str, asked: dict[str, Any]) -> list[Place]:
    """Measure the reference, which is the baseline, and what is asked for, in turns.

    Args:
        reference: A config (a file, or the name of one), else a Parsl: a release, a folder or a git reference.
        asked: As for `asked_for`.

    Returns:
        Two: the baseline and the other.

    Raises:
        UsageError: the reference is no other set-up.
    """
    from perfdb.campaigns.carry_out import carry_out
    from perfdb.campaigns.plan import plan_for

    if not is_given(family, "reps", asked):
        asked = {**asked, "flags": {**asked["flags"], "reps": REPETITIONS}}
        voice.say(f"{REPETITIONS} repetitions a side, in turns (--reps N for another number)")
    baseline, other = _arms(family, settings, voice, reference, asked)
    return carry_out(plan_for([baseline, other], settings), settings, voice)


def _arms(family: Family, settings: Settings, voice: Voice, reference: str, asked: dict[str, Any]) -> tuple[Arm, Arm]:
    from perfdb.campaigns.plan import Arm

    target, parsl = asked["target"], asked["parsl"]
    config = _as_config(reference, settings)
    other = {**asked, "target": reference} if config else {**asked, "parsl": reference, "python": None}
    if (other["target"], other["parsl"]) == (target, parsl) or config == find_config(target, settings):
        raise UsageError(
            f"--against {reference} is what is measured anyway: name another config, or another Parsl (2025.8.4, ../parsl, "
            "git+https://…@REF)."
        )
    names = [Path(target).stem, Path(reference).stem] if config else [_named(parsl), _named(reference)]
    arms = []
    for name, arm in ((names[1], other), (names[0], asked)):
        run_name = ", ".join(dict.fromkeys([asked["run_name"] or Path(arm["target"]).stem, name]))
        try:
            arms.append(Arm(name, asked_for(family, settings, voice, **{**arm, "run_name": run_name})))
        except ParslInstallError as error:
            if arm is asked:
                raise
            raise ParslInstallError(f"--against {reference} is no config here, and no Parsl: {error}") from error
    return arms[0], arms[1]


def _as_config(reference: str, settings: Settings) -> Path | None:
    try:
        found = find_config(reference, settings)
    except ConfigError:
        return None
    return found if found.is_file() else None


def _named(parsl: str | None) -> str:
    from perfdb.campaigns.sweep import parsl_name

    return parsl_name(parsl).replace("/", "_") if parsl else "Parsl as installed"
