"""From what the arms' children said to the measurements. Pure, and content with logs that end anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from perfdb.families.base import ChildRun, Measurements, Setup
from perfdb.families.schedulers.events import read_answers
from perfdb.families.schedulers.judge.checks import checks_of, trouble_of
from perfdb.families.schedulers.judge.findings import findings_of
from perfdb.families.schedulers.judge.run import PAUSE_S, Pause, Run
from perfdb.families.schedulers.listing import Listed, read_list
from perfdb.families.schedulers.measure import arm_of, child_count, is_list
from perfdb.families.schedulers.reading import read
from perfdb.families.schedulers.samples import Told, columns
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.summarise import summarise
from perfdb.processes.log import ChildLog
from perfdb.record import Check, Status
from perfdb.units import counted

_LONGEST_WORDS = 300


def assemble(spec: SchedulersSpec, setup: Setup | None, runs: Sequence[ChildRun]) -> Measurements:  # noqa: ARG001 (as every family's)
    """Everything that those children's logs say."""
    run = heard(spec, runs)
    samples = columns(run.jobs, spec.batches, run.told)
    run = replace(run, seen=read(samples))
    metrics = summarise(samples)
    checks = tuple(checks_of(run)) if run.told else ()
    status, reason = _status(runs, run, checks)
    return Measurements(
        status=status,
        reason=reason,
        metrics=metrics,
        checks=checks,
        findings=tuple(findings_of(run, metrics)),
        samples=samples,
        versions=_versions(run),
    )


def _versions(run: Run) -> dict[str, str]:
    """Of the schedulers that were measured, by kind; of two of a kind both."""
    found: dict[str, set[str]] = {}
    for told in run.told:
        arm = run.spec.parsed[told.arm - 1]
        if told.begin is not None and not arm.is_simulated:
            found.setdefault(arm.kind, set()).add(told.begin.version)
    return {kind: ", ".join(sorted(versions)) for kind, versions in found.items()}


def _pauses(runs: Sequence[ChildRun]) -> Iterator[Pause]:
    """Between children that ran, as their logs tell."""
    for before, after in pairwise(run.log for run in runs):
        if before.started_at is None or after.started_at is None:
            continue
        ended = datetime.fromisoformat(before.started_at) + timedelta(seconds=before.exit.t)
        lasted_s = (datetime.fromisoformat(after.started_at) - ended).total_seconds()
        if lasted_s > PAUSE_S:
            yield Pause(before.name, lasted_s)


def heard(spec: SchedulersSpec, runs: Sequence[ChildRun]) -> Run:
    """The list and what each child said of it, before any of it is made samples of."""
    listed = next((run.log for run in runs if is_list(run.log.name)), None)
    labels = [arm.label for arm in spec.parsed]
    told: list[Told] = []
    words: dict[tuple[int, int], str] = {}
    for log in (run.log for run in runs):
        which = arm_of(log.name)
        if which is not None and which[1] <= len(labels):
            told.append(Told(*which, labels[which[1] - 1], read_answers(log.stdout)))
            words[which] = _words(log)
    jobs = Listed() if listed is None else read_list(listed.stdout)
    return Run(spec, jobs, told, (), words, tuple(_pauses(runs)))


def _words(log: ChildLog) -> str:
    """What the child said last on standard error, as one line of printable text."""
    errors = [line.text.strip() for line in log.lines if line.stream == "stderr" and line.text.strip()]
    return "".join(sign if sign.isprintable() else " " for sign in errors[-1])[-_LONGEST_WORDS:] if errors else ""


def _status(runs: Sequence[ChildRun], run: Run, checks: Sequence[Check]) -> tuple[Status, str | None]:
    """The status and, unless it is ok, why in one paragraph."""
    for log in (each.log for each in runs):
        how = f"{log.name} after {log.exit.t:.1f} s"
        if log.exit.reason == "timeout":
            return "timeout", f"the time limit ended {how}"
        if log.exit.reason != "ended":
            return "interrupted", f"perfdb was told to stop, or was killed, and ended {how}"
    if runs and not run.jobs:
        return "failed", f"the list of jobs could not be made: {_words(runs[0].log) or 'it did not come whole'}"
    unbegun = next((told for told in run.told if told.iteration == 1 and told.begin is None), None)
    if unbegun is not None:
        return "failed", f"{unbegun.label} could not begin: {trouble_of(run, unbegun)}"
    expected = child_count(run.spec) - 1
    if len(run.told) < expected:
        return "interrupted", f"perfdb was interrupted after {len(run.told)} of {counted(expected, 'turn')}"
    if not any(outcome.submitted_s is not None for one in run.seen for outcome in one.outcomes):
        return "failed", f"no job was submitted: {trouble_of(run, run.told[0]) or 'see the checks'}"
    failed = [check for check in checks if not check.passed]
    if failed:
        return "invalid", ". ".join(f"{check.name}: {check.detail}" for check in failed)
    return "ok", None
