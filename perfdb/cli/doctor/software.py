"""Python, its packages and what stands beside it."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from perfdb.cli.doctor.here import Here, has
from perfdb.cli.doctor.installing import CHECKOUT, extra, in_conda, pins_anew, system_package
from perfdb.cli.doctor.point import Point
from perfdb.units import counted

_PIN = re.compile(r"([A-Za-z0-9][\w.-]*)==([^\s;\\]+)")
_EXTRAS = {
    "scaling": "perfdb serve; perfdb run scaling of OpenEnv services",
    "kubernetes": "perfdb run schedulers on Kubernetes",
}
_SHOWN = 4
# A new environment comes with its own, and nothing that measures uses them.
_OF_ANY_ENVIRONMENT = frozenset({"pip", "setuptools"})


def look_at_python(here: Here) -> Iterator[Point]:  # noqa: ARG001 (a check's shape)
    """The one that runs this."""
    where = "in a conda environment" if in_conda() else "in an environment of its own"
    if not in_conda() and sys.prefix == sys.base_prefix:
        where = "the system's, in no environment"
    yield Point("python", "ok", f"{platform.python_version()}, {where}", "every command")


def look_at_packages(here: Here) -> Iterator[Point]:  # noqa: ARG001 (as above)
    """What perfdb itself asks for, its optional parts, and the checkout's pins."""
    from importlib.metadata import distributions

    there = {_normal(found.name): found.version for found in distributions() if found.name}
    wrong = _unmet(there, None)
    fix = pins_anew() or "python -m pip install " + " ".join(f"'{asked}'" for asked, _ in wrong)
    if wrong:
        told = "; ".join(f"{asked} is asked for, {has_ or 'none'} is here" for asked, has_ in wrong)
        yield Point("packages", "fix", told, "every command", fix)
    else:
        main = ", ".join(f"{name} {there[name]}" for name in ("parsl", "mlflow", "pydantic") if name in there)
        yield Point("packages", "ok", f"all that perfdb asks for; {main}", "every command")
    for name, needed_for in _EXTRAS.items():
        lacking = _unmet(there, name)
        if lacking:
            told = f"{', '.join(asked for asked, _ in lacking)} missing or of another version"
            yield Point(f"packages: {name}", "note", told, needed_for, extra(name))
        else:
            yield Point(f"packages: {name}", "ok", "all there", needed_for)
    if again := pins_anew():
        yield against_pins(there, again)


def look_at_parsl(here: Here) -> Iterator[Point]:  # noqa: ARG001 (as above)
    """The benchmark, and the program with which Parsl ends local blocks."""
    if (Path(sys.executable).parent / "parsl-perf").exists():
        yield Point("parsl-perf", "ok", "beside this Python", "perfdb run throughput")
    else:
        fix = f"{pins_anew() or 'python -m pip install --force-reinstall parsl'}; or name a Python that has it with --python"
        yield Point("parsl-perf", "fix", "not beside this Python", "perfdb run throughput", fix)
    needed_for = "configs with a LocalProvider: it ends its blocks with it"
    if has("ps"):
        yield Point("ps", "ok", "on PATH", needed_for)
    else:
        yield Point("ps", "fix", "not on PATH", needed_for, system_package("procps", "procps-ng"))


def pins(text: str) -> dict[str, str]:
    """Version by package, as a file of pins has them for this system and Python; names in their normal form."""
    from packaging.markers import Marker

    found = {}
    for line in text.splitlines():
        if match := _PIN.match(line):
            _, _, marker = line.rstrip("\\ ").partition(";")
            if not marker.strip() or Marker(marker.strip()).evaluate():
                found[_normal(match[1])] = match[2]
    return found


def against_pins(there: Mapping[str, str], again: str) -> Point:
    """What differs from the checkout's pins: what measuring needs, and of the rest what is there.

    Args:
        there: Versions by package, names in their normal form.
        again: The command that mends it.
    """
    needed_for = "the versions that the tests ran with"
    base, whole = (pins(_read(f"requirements/{name}.txt")) for name in ("base", "dev"))
    whole = {name: pin for name, pin in whole.items() if name not in _OF_ANY_ENVIRONMENT}
    other = [f"{name} {there[name]} ({pin})" for name, pin in (whole | base).items() if there.get(name, pin) != pin]
    absent = [name for name in base if name not in there]
    told = []
    if other:
        told.append(f"{counted(len(other), 'package')} of another version than the pins: {_some(other)}")
    if absent:
        told.append(f"{counted(len(absent), 'pinned package')} missing: {_some(absent)}")
    if told:
        return Point("pins", "note", "; ".join(told), needed_for, again)
    return Point("pins", "ok", f"all {len(base)} as pinned", needed_for)


def _unmet(there: Mapping[str, str], extra: str | None) -> list[tuple[str, str | None]]:
    """What perfdb asks for and is not there, with what is; of one of its optional parts, where that is named."""
    from importlib.metadata import requires

    from packaging.requirements import Requirement

    unmet = []
    for text in requires("perfdb") or ():
        asked = Requirement(text)
        always = asked.marker is None or asked.marker.evaluate({"extra": ""})
        if always if extra is None else (not always and asked.marker and asked.marker.evaluate({"extra": extra})):
            version = there.get(_normal(asked.name))
            if version is None or not asked.specifier.contains(version, prereleases=True):
                unmet.append((f"{asked.name}{asked.specifier}", version))
    return unmet


def _normal(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _read(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")
