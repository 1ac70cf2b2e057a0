"""Commands that would make up for what is too few, ready to type. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from perfdb.compare.comparison import Case, MetricComparison
from perfdb.compare.pairing import Pair
from perfdb.compare.sides import Rules
from perfdb.compare.verdict import FEWEST_UNITS
from perfdb.record import Record, Scalar

# As many interleaved repetitions a side tell a difference of 10 % in most cases (benchmarks/statistics.py).
REPETITIONS = 10
_NOT_FLAGS = frozenset({"reps", "timeout_s"})
_MOST = 20
_COMMIT = re.compile(r"(?:.*, )?commit (?P<commit>[0-9a-f]{7,40})")
_WORD = re.compile(r"[\w.+-]+")
FOLDER = "FOLDER: a checkout of Parsl"


def remedies(
    pairs: Sequence[Pair], cases: Sequence[Case], rules: Rules, defaults: Mapping[str, Mapping[str, Scalar]]
) -> tuple[str, ...]:
    """For each case with too few values, what would give enough.

    Args:
        pairs: One for each case.
        defaults: Of each family's spec: what a command need not say.
    """
    commands = dict.fromkeys(
        command
        for pair, case in zip(pairs, cases, strict=True)
        if (few := [metric for metric in case.metrics if metric.verdict == "too few"])
        for command in _of(pair, few, rules, defaults)
    )
    return tuple(commands)[:_MOST]


def is_once(metric: str, records: Sequence[Record]) -> bool:
    """Whether a run has that metric once, however often it repeats."""
    found = [known for record in records if (known := record.metric(metric)) is not None]
    return bool(found) and all(known.values is None for known in found)


def is_of_service(record: Record) -> bool:
    """Whether a URL must be named to measure it again, which no record keeps."""
    return any(name.startswith("service.") for name in record.params)


def parsl_to_type(record: Record) -> str | None:
    """What `--parsl` takes for that record's Parsl, as a shell's word; None where nothing that is told would install it.

    A record names no folder, so one that was a commit says `FOLDER@COMMIT`.
    """
    measured = record.code.measured
    if (source := measured.get("parsl_source")) is not None:
        found = _COMMIT.fullmatch(source)
        return f"FOLDER@{found['commit']}" if found else None
    return shlex.quote(measured["parsl"]) if "parsl" in measured else None


def _of(
    pair: Pair, few: Sequence[MetricComparison], rules: Rules, defaults: Mapping[str, Mapping[str, Scalar]]
) -> Iterator[str]:
    mine, other = pair.baseline[-1], pair.other[-1]
    if mine.origin.kind == "imported" or other.origin.kind == "imported":
        return  # nothing of ours can run those again
    in_turns = _in_turns(mine, other, rules)
    if in_turns is not None:
        set_ups, sides = in_turns
        once = [metric for metric in few if is_once(metric.metric, (*pair.baseline, *pair.other))]
        asked = other.spec.get("reps")
        reps = asked if len(once) == len(few) and isinstance(asked, int) else REPETITIONS
        # Under the label of the records there are, or the new ones would be another machine's.
        label = f" --machine {shlex.quote(other.environment.machine)}"
        command = f"perfdb run {shlex.quote(other.family)} {set_ups}{_flags(other, defaults)} --reps {reps}{label}"
        if once:
            # More repetitions give no more of these, only more runs do; and one run's comparison knows no other runs.
            count = FEWEST_UNITS - min(min(metric.baseline.n, metric.other.n) for metric in once)
            then = f"perfdb compare {sides}{''.join(f' --metric {metric.metric}' for metric in once)}" if sides else ""
            command = "; ".join(filter(None, (_times(count, command), then)))
        # Elsewhere the label would be untrue.
        yield command + _comment([_on(other), *([FOLDER] if "FOLDER@" in command else [])])
        return
    for records in (pair.baseline, pair.other):
        more = FEWEST_UNITS - len(records)
        if more > 0:
            newest = records[-1]
            source, parsl = newest.code.measured.get("parsl_source"), parsl_to_type(newest)
            if source is not None and parsl is None:
                continue
            # What a record was made from is best known to itself: config, spec, overrides and release.
            again = f"perfdb reproduce {newest.record_id}{f' --parsl {parsl}' if source is not None else ''}"
            remarks = [_on(newest), *([FOLDER] if source is not None else [])]
            if is_of_service(newest):
                again += " URL"
                remarks.append("URL: where that service is, in the version that was measured")
            yield _times(more, again) + _comment(remarks)


def _in_turns(mine: Record, other: Record, rules: Rules) -> tuple[str, str] | None:
    """How both sides are measured interleaved, in one command, and what `perfdb compare` calls them, if anything.

    None where that cannot be.
    """
    if mine.environment.machine != other.environment.machine or mine.overrides or other.overrides:
        return None
    if mine.config is None or other.config is None or is_of_service(mine) or is_of_service(other):
        return None
    names = mine.config.name, other.config.name
    if rules.compared and {"parsl_version", "parsl_source"}.issuperset(rules.compared):
        one, two = parsl_to_type(mine), parsl_to_type(other)
        return (
            (f"{shlex.quote(names[1])} --parsl {two} --against {one}", _parsl_sides(mine, other))
            if one and two
            else None
        )
    if rules.compared == ("config",) and names[0] != names[1]:
        sides = " ".join(names) if all(map(_WORD.fullmatch, names)) else ""
        return f"{shlex.quote(names[1])} --against {shlex.quote(names[0])}", sides
    return None


def _parsl_sides(mine: Record, other: Record) -> str:
    """The sides as queries, for a commit calls itself by the number of the release it is built on."""
    sides = []
    for record in (mine, other):
        source, version = record.code.measured.get("parsl_source"), record.code.measured.get("parsl", "")
        if source is not None:
            found = _COMMIT.fullmatch(source)
            side = f"measured.parsl_source like '%{found['commit']}%'" if found else ""
        else:
            side = version if _WORD.fullmatch(version) else ""
        sides.append(side)
    if mine.code.measured.get("parsl") == other.code.measured.get("parsl"):
        sides = [f"parsl_version == {s} and measured.parsl_source is null" if _WORD.fullmatch(s) else s for s in sides]
    return " ".join(map(shlex.quote, sides)) if all(sides) else ""


def _flags(record: Record, defaults: Mapping[str, Mapping[str, Scalar]]) -> str:
    """What was asked for, as far as it goes without saying."""
    usual = defaults.get(record.family, {})
    told = []
    for name, value in record.spec.items():
        flag = "--" + name.replace("_", "-")
        if name in _NOT_FLAGS or value is None or usual.get(name) == value:
            continue
        if isinstance(value, bool):
            told.append(flag if value else f"--no-{flag[2:]}")
        else:
            told.append(f"{flag} {shlex.quote(f'{value:.15g}' if isinstance(value, float) else str(value))}")
    return "".join(f" {flag}" for flag in told)


def _on(record: Record) -> str:
    return f"on {record.environment.machine}"


def _times(count: int, command: str) -> str:
    numbers = " ".join(str(number) for number in range(1, count + 1))
    return f"for i in {numbers}; do {command}; done" if count > 1 else command


def _comment(remarks: Sequence[str]) -> str:
    return f"  # {'; '.join(remarks)}" if remarks else ""
