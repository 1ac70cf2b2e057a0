"""The children of a run: one that tells the list of jobs, then one for each arm and iteration."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from perfdb.errors import UsageError
from perfdb.families.base import Children, ChildRun, Lab, Program
from perfdb.families.schedulers.arms import Arm, Kind
from perfdb.families.schedulers.events import Begin, read_answers
from perfdb.families.schedulers.listing import CHILD, read_list
from perfdb.families.schedulers.listing import VARIABLE as LISTED
from perfdb.families.schedulers.plan import VARIABLE, Plan, Workload
from perfdb.families.schedulers.refusals import refuse_or_describe, refuse_what_cannot_be_told
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.workload.load import Loaded, described, loaded

_CHILD = Path(__file__).parent / "child"
_PROGRAMS: dict[Kind, Path] = {
    "slurm": _CHILD / "slurm" / "program.py",
    "mini-slurm": _CHILD / "mini_slurm" / "program.py",
    "kubernetes": _CHILD / "kubernetes" / "program.py",
    "simulated": _CHILD / "simulated" / "program.py",
}
_PARAMETERS = {"nodes", "seed", "load", "jobs", "compress"}
_NAME = re.compile(r"(?:^|-)iter-([1-9]\d{0,3})-arm-([1-9])$")


def measure(lab: Lab, spec: SchedulersSpec) -> Children:
    """Hand them out one after another: every arm once, then the next iteration the other way round.

    No more of them where an arm could not begin at all: there is nothing to compare it with.

    Raises:
        UsageError: the list can't be made, or an arm can't be had here.
    """
    found = _loaded(lab.target, spec)
    workload = _workload(found, spec)
    refuse_what_cannot_be_told(found, spec)
    kubernetes = refuse_or_describe(lab, spec)
    listed = yield Program(
        CHILD,
        (sys.executable, str(_CHILD / "listing.py")),
        env={LISTED: workload.model_dump_json()},
        label="the list of jobs",
    )
    jobs = read_list(listed.log.stdout).jobs
    if not jobs:
        return
    patience_s = spec.patience_for(jobs)
    for iteration in range(1, spec.iters + 1):
        for place, arm in spec.order(iteration):
            _see_that_it_stayed(lab.target, found.source.sha256)
            plan = plan_of(spec, arm, iteration, workload, patience_s, kubernetes.get(arm.name, ""))
            run = yield Program(
                f"iter-{iteration}-arm-{place}",
                (sys.executable, str(_PROGRAMS[arm.kind])),
                env={VARIABLE: plan.model_dump_json(), "PERFDB_HOST_KEY": lab.host_key},
                label=f"iter {iteration}/{spec.iters}, {arm.label}",
            )
            if iteration == 1 and not _has_begun(run):
                return


def workload_of(target: str, spec: SchedulersSpec) -> Workload:
    """What the list is made from, and its digest.

    Raises:
        UsageError: it can't be made.
    """
    return _workload(_loaded(target, spec), spec)


def _loaded(target: str, spec: SchedulersSpec) -> Loaded:
    return loaded(target, **spec.model_dump(include=_PARAMETERS))


def _workload(found: Loaded, spec: SchedulersSpec) -> Workload:
    parameters = spec.model_dump(include=_PARAMETERS)
    return Workload(source=found.source.whole, sha256=found.sha256, **parameters)


def _see_that_it_stayed(target: str, sha256: str) -> None:
    """Children read the file themselves.

    Raises:
        UsageError: it is another one than when the run began.
    """
    if described(target).sha256 != sha256:
        raise UsageError(
            f"{target} was changed while it is measured with. What was measured is safe: put it back and type the same command, "
            "which goes on with the next turn, or begin anew with the list as it is now."
        )


def plan_of(
    spec: SchedulersSpec, arm: Arm, iteration: int, workload: Workload, patience_s: float, kubernetes: str
) -> Plan:
    """What a child of that arm is to do."""
    return Plan(
        arm=arm.label,
        iteration=iteration,
        batches=spec.batches,
        nodes=spec.nodes,
        workload=workload,
        job=spec.job,
        patience_s=patience_s,
        delays=spec.delays,
        kubernetes=kubernetes,
    )


def child_count(spec: SchedulersSpec) -> int:
    """How many children a run takes."""
    return 1 + spec.iters * len(spec.parsed)


def arm_of(child: str) -> tuple[int, int] | None:
    """The iteration and the arm's place of a child of that name; None of the one that tells the list."""
    match = _NAME.search(child)
    return None if match is None else (int(match[1]), int(match[2]))


def is_list(child: str) -> bool:
    """Whether the child of that name tells the list of jobs."""
    return child.endswith(CHILD)


def _has_begun(run: ChildRun) -> bool:
    return any(isinstance(answer, Begin) for answer in read_answers(run.log.stdout))
