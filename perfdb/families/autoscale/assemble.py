"""From what the rounds' children and the scheduler said to the measurements. Pure, and content with logs that end anywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from perfdb.families.autoscale.judge.checks import checks_of
from perfdb.families.autoscale.judge.findings import findings_of
from perfdb.families.autoscale.judge.words import shortened, standing, trouble_of
from perfdb.families.autoscale.rounds.answers import Answer, NodeReport, read_answers
from perfdb.families.autoscale.rounds.chain import Round, read_round
from perfdb.families.autoscale.rounds.node_reports import NO_SHARED_FOLDER, mismatch
from perfdb.families.autoscale.samples import columns
from perfdb.families.autoscale.spec import AutoscaleSpec
from perfdb.families.autoscale.summarise import summarise
from perfdb.families.base import ChildRun, Measurements, Setup
from perfdb.platforms import ON_SUBMIT_HOST
from perfdb.processes.log import ChildLog
from perfdb.record import Check, Host, Status

_ROUND = re.compile(r"(?:^|-)(cold|warm)-([1-9][0-9]{0,5})$")


@dataclass(frozen=True)
class Before:
    """The child before the first round, and its blocks as those of a round."""

    run: ChildRun
    answers: Sequence[Answer]
    round: Round


def assemble(spec: AutoscaleSpec, setup: Setup | None, runs: Sequence[ChildRun]) -> Measurements:
    """Everything that those children's logs and their jobs say."""
    powers = any(job.boots for run in runs for job in run.jobs) or any("-warm-" in f"-{run.log.name}" for run in runs)
    rounds, before = [], None
    for run in runs:
        answers = read_answers(run.log.stdout)
        if match := _ROUND.search(run.log.name):
            rounds.append((run, read_round(match[1], int(match[2]), answers, run.jobs, powers)))
        else:
            before = Before(run, answers, read_round("nodes", 0, answers, run.jobs, powers))
    local = _provider_class(setup) in ON_SUBMIT_HOST
    only_rounds = [round_ for _, round_ in rounds]
    samples = columns(only_rounds)
    metrics = summarise(samples)
    expected = spec.rounds * (2 if powers else 1)
    checks = checks_of(
        spec,
        only_rounds,
        whole=sum(_whole(run, round_) for run, round_ in rounds),
        expected=expected,
        powers=powers,
        local=local,
        shared_folder=_provider_class(setup) not in NO_SHARED_FOLDER,
    )
    status, reason = _status(spec, setup, before, rounds, checks, expected)
    return Measurements(
        status=status,
        reason=reason,
        metrics=metrics,
        checks=checks,
        findings=tuple(findings_of(only_rounds, metrics, local)),
        samples=samples,
        workers=_workers(before.answers if before else ()),
    )


def _whole(run: ChildRun, round_: Round) -> bool:
    return run.log.exit.code == 0 and round_.end is not None and trouble_of(round_) is None


def _workers(answers: Sequence[Answer]) -> tuple[Host, ...]:
    """Each distinct host once, whatever number of nodes it stands for."""
    found: dict[str, Host] = {}
    for answer in answers:
        if isinstance(answer, NodeReport):
            try:
                found.setdefault(answer.host, Host.model_validate(answer.facts))
            except ValidationError:
                continue
    return tuple(found.values())


def _status(
    spec: AutoscaleSpec,
    setup: Setup | None,
    before: Before | None,
    rounds: Sequence[tuple[ChildRun, Round]],
    checks: Sequence[Check],
    expected: int,
) -> tuple[Status, str | None]:
    """The status and, unless it is ok, why in one paragraph."""
    for run, round_ in [*([(before.run, before.round)] if before else []), *rounds]:
        how = f"{run.log.name} after {run.log.exit.t:.1f} s{_standing(round_)}"
        match run.log.exit.reason:
            case "timeout":
                return "timeout", f"the time limit ended {how}"
            case "stopped" | "abandoned" | "lost":
                return "interrupted", f"perfdb was told to stop, or was killed, and ended {how}"
            case "ended":
                pass
    if before is None:
        return "interrupted", "perfdb was interrupted before the nodes were asked who they are"
    why = mismatch(before.answers, spec.blocks, _provider_class(setup))
    if why is not None:
        return "failed", f"{why.rstrip('.')}{_standing(before.round)}"
    if before.run.log.exit.code != 0:
        return "failed", f"asking the nodes who they are failed: the workload {_ending(before.run.log)}"
    for run, round_ in rounds:
        if run.log.exit.code != 0 and round_.end is None:
            return "failed", f"in {round_.name} the workload {_ending(run.log)}{_standing(round_)}"
    # A round whose child ended well has a next one, up to the last.
    if len(rounds) < expected and all(run.log.exit.code == 0 for run, _ in rounds):
        return "interrupted", f"perfdb was interrupted after {len(rounds)} of {expected} rounds"
    return _of_rounds([round_ for _, round_ in rounds], checks)


def _provider_class(setup: Setup | None) -> str:
    return next((e.provider_class for e in setup.config.executors if e.provider_class), "") if setup else ""


def _of_rounds(rounds: Sequence[Round], checks: Sequence[Check]) -> tuple[Status, str | None]:
    troubles = [f"{trouble}{_standing(round_)}" for round_ in rounds if (trouble := trouble_of(round_))]
    if not any(round_.acquisitions for round_ in rounds):
        return "failed", f"no node was acquired. {'. '.join(troubles)}"
    failed = [check for check in checks if not check.passed]
    if failed:
        return "invalid", ". ".join([*troubles, *(f"{check.name}: {check.detail}" for check in failed)])
    return "ok", None


def _standing(round_: Round) -> str:
    """How the blocks stood of which a node ran no task; "" where all did."""
    waiting = [standing(life) for life in round_.blocks if life.missing or life.registered < round_.nodes_per_block]
    return f"; {'; '.join(waiting[:3])}" if waiting else ""


def _ending(log: ChildLog) -> str:
    code = log.exit.code
    how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
    return f"{how}; its last words: {shortened(log.last_words(), 600) or 'none'}"
