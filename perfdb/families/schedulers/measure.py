"""The children of a run: one that tells the list of jobs, then one for each arm and iteration."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from perfdb.errors import ClusterError, UsageError
from perfdb.families.base import Children, ChildRun, Lab, Program
from perfdb.families.schedulers.arms import Arm, Kind
from perfdb.families.schedulers.child.kubernetes.arms_file import describe
from perfdb.families.schedulers.events import Begin, read_answers
from perfdb.families.schedulers.listing import CHILD, read_list
from perfdb.families.schedulers.listing import VARIABLE as LISTED
from perfdb.families.schedulers.plan import VARIABLE, Plan, Workload
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.workload.load import loaded
from perfdb.platforms.pocket.programs import Programs

_CHILD = Path(__file__).parent / "child"
_PROGRAMS: dict[Kind, Path] = {
    "slurm": _CHILD / "slurm" / "program.py",
    "mini-slurm": _CHILD / "mini_slurm" / "program.py",
    "kubernetes": _CHILD / "kubernetes" / "program.py",
    "simulated": _CHILD / "simulated" / "program.py",
}
_NAME = re.compile(r"(?:^|-)iter-([1-9]\d{0,3})-arm-([1-9])$")


def measure(lab: Lab, spec: SchedulersSpec) -> Children:
    """Hand them out one after another: every arm once, then the next iteration the other way round.

    No more of them where an arm could not begin at all: there is nothing to compare it with.

    Raises:
        UsageError: the list can't be made, or an arm can't be had here.
    """
    workload = workload_of(lab.target, spec)
    kubernetes = _refuse_or_describe(lab, spec)
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
    parameters = spec.model_dump(include={"nodes", "seed", "load", "jobs", "compress"})
    found = loaded(target, **parameters)
    return Workload(source=found.source.whole, sha256=found.sha256, **parameters)


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


def _refuse_or_describe(lab: Lab, spec: SchedulersSpec) -> Mapping[str, str]:
    """The descriptions of arms of Kubernetes by their names.

    Raises:
        UsageError: an arm can't be had here, or not for such jobs.
    """
    kinds = {arm.kind for arm in spec.parsed}
    if "mini-slurm" in kinds:
        cores = lab.setup.cores
        if spec.job == "lammps":
            raise UsageError("a mini-slurm arm runs --job sleep or burn: leave out --job lammps, or that arm.")
        if spec.job == "burn" and cores is not None and spec.nodes > cores:
            raise UsageError(
                f"the nodes of a mini-slurm arm are CPUs, of which this machine has {cores}: its jobs can't burn on {spec.nodes}. Give "
                f"--nodes {cores}, or --job sleep."
            )
    if any(arm.kind == "slurm" and not arm.name for arm in spec.parsed):
        try:
            Programs.found()
        except ClusterError as error:
            raise UsageError(f"{error} Or try what needs no Slurm: --arms simulated:fifo,simulated:easy.") from error
    if "kubernetes" not in kinds:
        if spec.kubernetes is not None:
            raise UsageError(
                "--kubernetes describes arms, and --arms names none of that kind, such as kubernetes:default."
            )
        return {}
    if not spec.yes:
        raise UsageError(
            "an arm of Kubernetes makes and deletes objects in the cluster that KUBECONFIG names: say that it may, with --yes."
        )
    names = [arm.name for arm in spec.parsed if arm.kind == "kubernetes"]
    return describe(names, None if spec.kubernetes is None else Path(spec.kubernetes))


def _has_begun(run: ChildRun) -> bool:
    return any(isinstance(answer, Begin) for answer in read_answers(run.log.stdout))
