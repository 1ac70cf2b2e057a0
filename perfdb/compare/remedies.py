"""Commands that would make up for what is too few, ready to type. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from perfdb.compare.comparison import Case
from perfdb.compare.pairing import Pair
from perfdb.compare.sides import Rules
from perfdb.compare.verdict import FEWEST_UNITS
from perfdb.record import Record, Scalar

# As many interleaved repetitions a side tell a difference of 10 % in most cases (benchmarks/statistics.py).
REPETITIONS = 10
_NOT_FLAGS = frozenset({"reps", "timeout_s"})
_MOST = 20


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
        if any(metric.verdict == "too few" for metric in case.metrics)
        for command in _of(pair, rules, defaults)
    )
    return tuple(commands)[:_MOST]


def _of(pair: Pair, rules: Rules, defaults: Mapping[str, Mapping[str, Scalar]]) -> Iterator[str]:
    mine, other = pair.baseline[-1], pair.other[-1]
    if mine.origin.kind == "imported" or other.origin.kind == "imported":
        return  # nothing of ours can run those again
    in_turns = _in_turns(mine, other, rules)
    if in_turns is not None:
        yield f"perfdb run {shlex.quote(other.family)} {in_turns}{_flags(other, defaults)} --reps {REPETITIONS}"
        return
    for records in (pair.baseline, pair.other):
        more = FEWEST_UNITS - len(records)
        if more > 0:
            # What a record was made from is best known to itself: config, spec, overrides and release.
            yield _times(more, f"perfdb reproduce {records[-1].record_id}", records[-1].environment.machine)


def _in_turns(mine: Record, other: Record, rules: Rules) -> str | None:
    """How both sides are measured interleaved, in one command; None where that cannot be."""
    if mine.environment.machine != other.environment.machine or mine.overrides or other.overrides:
        return None
    if mine.config is None or other.config is None:
        return None
    if rules.compared == ("parsl_version",):
        one, two = _parsl(mine), _parsl(other)
        return f"{shlex.quote(other.config.name)} --parsl {two} --against {one}" if one and two else None
    if rules.compared == ("config",) and mine.config.name != other.config.name:
        return f"{shlex.quote(other.config.name)} --against {shlex.quote(mine.config.name)}"
    return None


def _parsl(record: Record) -> str | None:
    measured = record.code.measured
    found = measured.get("parsl_source") or measured.get("parsl")
    return shlex.quote(found) if found else None


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


def _times(count: int, command: str, machine: str) -> str:
    numbers = " ".join(str(number) for number in range(1, count + 1))
    loop = f"for i in {numbers}; do {command}; done" if count > 1 else command
    return f"{loop}  # on {machine}"
