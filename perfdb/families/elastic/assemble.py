"""From what the arms' children said to the measurements. Pure, and content with logs that end anywhere."""

from __future__ import annotations

from collections.abc import Sequence

from perfdb.families.base import ChildRun, Measurements, Setup
from perfdb.families.elastic.events import read_answers
from perfdb.families.elastic.judge.checks import Arms, checks_of, trouble_of
from perfdb.families.elastic.judge.findings import findings_of
from perfdb.families.elastic.measure import arm_of, child_count
from perfdb.families.elastic.mix import digest
from perfdb.families.elastic.reading import read
from perfdb.families.elastic.samples import Told, columns
from perfdb.families.elastic.spec import ElasticSpec
from perfdb.families.elastic.summarise import summarise
from perfdb.processes.log import ChildLog
from perfdb.record import Check, Status
from perfdb.units import counted

_LONGEST_WORDS = 300


def assemble(spec: ElasticSpec, setup: Setup | None, runs: Sequence[ChildRun]) -> Measurements:  # noqa: ARG001 (as every family's)
    """Everything that those children's logs say."""
    told: list[Told] = []
    words: dict[tuple[int, str], str] = {}
    for run in runs:
        if (which := arm_of(run.log.name)) is not None:
            told.append(Told(*which, read_answers(run.log.stdout)))
            words[which] = _words(run.log)
    mix = spec.mix
    samples = columns(mix, spec.cooldown_s, told)
    arms = Arms(spec, digest(mix), told, read(samples), words)
    metrics = summarise(samples)
    checks = tuple(checks_of(arms))
    status, reason = _status(runs, arms, checks)
    return Measurements(
        status=status,
        reason=reason,
        metrics=metrics,
        checks=checks,
        findings=tuple(findings_of(arms, metrics)),
        samples=samples,
    )


def _words(log: ChildLog) -> str:
    """What the child said last on standard error, as one line of printable text."""
    errors = [line.text.strip() for line in log.lines if line.stream == "stderr" and line.text.strip()]
    return "".join(sign if sign.isprintable() else " " for sign in errors[-1])[-_LONGEST_WORDS:] if errors else ""


def _status(runs: Sequence[ChildRun], arms: Arms, checks: Sequence[Check]) -> tuple[Status, str | None]:
    """The status and, unless it is ok, why in one paragraph."""
    for run in runs:
        how = f"{run.log.name} after {run.log.exit.t:.1f} s"
        if run.log.exit.reason == "timeout":
            return "timeout", f"the time limit ended {how}"
        if run.log.exit.reason != "ended":
            return "interrupted", f"perfdb was told to stop, or was killed, and ended {how}"
    expected = child_count(arms.spec)
    if not arms.seen and arms.told:
        return "failed", f"no arm was begun: {trouble_of(arms, arms.told[0])}"
    if len(arms.told) < expected:
        return "interrupted", f"perfdb was interrupted after {len(arms.told)} of {counted(expected, 'arm')}"
    if not any(job.state == "COMPLETED" for one in arms.seen for job in one.jobs.values()):
        return "failed", f"no job completed: {trouble_of(arms, arms.told[0]) or 'see the checks'}"
    failed = [check for check in checks if not check.passed]
    if failed:
        return "invalid", ". ".join(f"{check.name}: {check.detail}" for check in failed)
    return "ok", None
