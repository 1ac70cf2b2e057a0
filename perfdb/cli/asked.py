"""From what was typed to what is asked for; whatever cannot be is refused here, in one paragraph."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from perfdb.cli.found import find_config, find_python
from perfdb.cli.meant import did_you_mean, flag, names_of
from perfdb.cli.terminal import Voice
from perfdb.errors import NoSuchParslError, ParslInstallError, UsageError
from perfdb.families import Family
from perfdb.parsl_config.install import InstalledParsl, install, sought
from perfdb.record import LABEL_RULE, Scalar, is_label, is_run_name
from perfdb.redaction import Redactor
from perfdb.runner import Asked
from perfdb.runner.nearby import texts_of
from perfdb.settings import Settings

if TYPE_CHECKING:
    from perfdb.campaigns.plan import Arm


def asked_for(
    family: Family,
    settings: Settings,
    voice: Voice,
    *,
    target: str,
    flags: Mapping[str, Scalar],
    spec_file: Path | None,
    pairs: Sequence[str],
    run_name: str | None,
    experiment: str | None,
    machine: str | None,
    timeout_s: float | None,
    python: Path | None,
    parsl: str | None,
    overrides: Mapping[str, Scalar] | None = None,
    output_dir: Path | None = None,
    fresh: bool = False,
) -> Asked:
    """Everything checked that can be checked before anything starts.

    Raises:
        UsageError: an option is wrong.
        ConfigError: there is no such config.
        ParslInstallError: the Parsl asked for could not be installed.
    """
    if run_name is not None and not is_run_name(run_name):
        raise UsageError(
            f"the run name {run_name!r} cannot be used: it must be printable text without slashes, control characters or "
            "outer blanks, at most 200 characters. Type another."
        )
    if experiment is not None and not is_label(experiment):
        raise UsageError(
            f"the experiment name {experiment!r} cannot name a folder: use {LABEL_RULE}. "
            "Try again with --experiment NAME."
        )
    if timeout_s is not None and not 0 < timeout_s <= 30 * 86400:
        raise UsageError(
            f"--timeout {timeout_s:g} is no number of seconds to measure in: give one above 0, 30 days at most."
        )
    typed = {**_from_file(spec_file), **_from_pairs(pairs), **flags}
    spec = _spec(family, {**typed, **_from_nearby(family, target, typed, voice)})
    named = str(find_config(target, settings)) if family.subject is None else target
    nodes_of = spec.get(family.nodes_option) if family.nodes_option else None
    chosen = InstalledParsl(find_python(python), None, None)
    if parsl is not None:
        voice.say(f"preparing Parsl {Redactor().text(parsl)} in an environment of its own")
        chosen = install(parsl, settings.state_path)
    asked = Asked(
        family=family,
        target=named,
        spec=spec,
        run_name=run_name,
        experiment=experiment,
        machine=machine,
        timeout_s=timeout_s,
        python=chosen.python,
        parsl=chosen.source,
        release=chosen.version,
        overrides=overrides or {},
        output_dir=None if output_dir is None or family.outputs is None else output_dir.absolute(),
        nodes_config=None if nodes_of is None else find_config(str(nodes_of), settings),
    )
    _refuse_taken(asked, settings, fresh=fresh)
    return asked


def arm_for(family: Family, settings: Settings, voice: Voice, label: str, *, parsl: str | None, **asked: Any) -> Arm:
    """As `asked_for`, for one of several arms: one whose Parsl does not install is an arm that cannot be measured.

    Raises:
        UsageError, ConfigError: as `asked_for`.
    """
    from perfdb.campaigns.plan import Arm

    try:
        return Arm(label, asked_for(family, settings, voice, parsl=parsl, **asked))
    except NoSuchParslError:
        raise
    except ParslInstallError as error:
        assert parsl is not None
        found = asked_for(family, settings, voice, parsl=None, **asked)
        known = sought(parsl)
        return Arm(label, replace(found, parsl=known.source, release=known.version), refused=str(error))


def _refuse_taken(asked: Asked, settings: Settings, *, fresh: bool) -> None:
    """The folder for a family's own files has none of them yet: an older run's are not written over.

    Those of a run that waits may be its own: it was cut off between its last file and its end.
    """
    folder, outputs = asked.output_dir, asked.family.outputs
    if folder is None or outputs is None:
        return
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--output-dir {folder} is a file. Name a folder.")
    there = [name for name in outputs.files if os.path.lexists(folder / name)]
    if there and (fresh or not _waits(asked, settings)):
        raise UsageError(f"--output-dir {folder} holds {', '.join(there)} of another run. Name another folder.")


def _waits(asked: Asked, settings: Settings) -> bool:
    from perfdb.campaigns.going_on import plan_of_one
    from perfdb.campaigns.plan import waiting

    if not asked.family.goes_on:
        return False
    key = plan_of_one(asked, settings).key
    return any(plan.key == key for plan in waiting(settings.state_path))


def is_given(family: Family, option: str, asked: Mapping[str, Any]) -> bool:
    """Whether an option of the family was typed, in whatever way and under whichever of its names."""
    named = {**_from_file(asked["spec_file"]), **_from_pairs(asked["pairs"]), **asked["flags"]}
    return any(name in named for name in names_of(family, option))


def refuse_both(family: Family, asked: Mapping[str, Any]) -> None:
    """Raises UsageError where both of two options were typed of which one stands in the other's place."""
    for one, other in family.either:
        if is_given(family, one, asked) and is_given(family, other, asked):
            first, second = (f"-{each}" if len(each) == 1 else f"--{each.replace('_', '-')}" for each in (one, other))
            raise UsageError(f"{first} stands in place of {second}: leave one of them out.")


def _spec(family: Family, given: Mapping[str, Any]) -> dict[str, Scalar]:
    try:
        return family.spec.model_validate(given).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]) if first["loc"] else ""
        if first["type"] == "extra_forbidden":
            names = [names_of(family, field) for field in family.spec.model_fields]
            known = ", ".join(" or ".join(each) for each in names)
            near = did_you_mean(option, [name for each in names for name in each])
            raise UsageError(f"the family {family.name} has no option {option!r}; it has {known}.{near}") from error
        where, told = (flag(option), f" (given: {first['input']!r})") if option else ("these options", "")
        # What a model within the spec's own rules refuses comes with all that it was given.
        while isinstance(inner := first.get("ctx", {}).get("error"), ValidationError):
            first = inner.errors()[0]
        raise UsageError(
            f"{where}: {first['msg'].removeprefix('Value error, ')}{told}. "
            f"`perfdb run {family.name} --help` says what it takes."
        ) from error


def _from_nearby(family: Family, target: str, typed: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    """What files of the current folder say of options that nobody gave; each is told, for it counts as given."""
    if family.nearby is None:
        return {}
    said = family.nearby.options(target, texts_of(family.nearby.reads))
    found = {name: value for name, value in said.items() if typed.get(name) is None}
    for name, value in found.items():
        voice.say(f"--{name.replace('_', '-')} {value}, as {' and '.join(family.nearby.reads)} of this folder says")
    return found


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--spec {path} cannot be read: {error.strerror}. Give a TOML file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--spec {path} is no TOML: {error}. Mend it there.") from error


def _from_pairs(pairs: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {pair!r} is not KEY=VALUE: type, for example, --set reps=5.")
        # pydantic reads numbers and booleans from text; the spec says which is which.
        found[key.replace("-", "_")] = text
    return found
