"""The children of an elastic run: one for each arm and repetition, each with a scheduler that knows of no job yet."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import get_args

from perfdb.errors import UsageError
from perfdb.families.base import Children, Lab, Program
from perfdb.families.elastic.events import Arm, Begin, Target, read_answers
from perfdb.families.elastic.mix import digest
from perfdb.families.elastic.plan import VARIABLE, Plan
from perfdb.families.elastic.spec import ARMS, ElasticSpec
from perfdb.minislurm.policy.cluster import Rules

_CHILD = Path(__file__).parent / "child"
_PROGRAMS: dict[Target, Path] = {
    "mini-slurm": _CHILD / "mini_slurm" / "program.py",
    "slurm": _CHILD / "slurm" / "program.py",
}
_NAME = re.compile(rf"(?:^|-)rep-([1-9]\d{{0,3}})-({'|'.join(ARMS)})$")


def measure(lab: Lab, spec: ElasticSpec) -> Children:
    """Hand them out one after another: every arm once, then the next repetition the other way round.

    No more of them where the first one could not begin.

    Raises:
        UsageError: the machine has fewer CPUs than are asked for.
    """
    cores = lab.setup.cores
    target = _target(lab.target)
    if target == "mini-slurm" and cores is not None and spec.cpus > cores and not spec.overcommit:
        raise UsageError(
            f"--cpus {spec.cpus} is more than the {cores} that this machine grants us. Give --cpus {cores}, or, for work that "
            "only sleeps, --overcommit --work sleep."
        )
    has_begun = False
    for repetition in range(1, spec.reps + 1):
        for arm in spec.order(repetition):
            plan = plan_of(target, arm, spec)
            run = yield Program(
                f"rep-{repetition}-{arm}",
                (sys.executable, str(_PROGRAMS[target])),
                env={VARIABLE: plan.model_dump_json(), "PERFDB_HOST_KEY": lab.host_key},
                label=f"rep {repetition}/{spec.reps}, {SHOWN[arm]}",
            )
            has_begun = has_begun or any(isinstance(answer, Begin) for answer in read_answers(run.log.stdout))
            if not has_begun:
                return  # whatever keeps the first one from it keeps the others as well


SHOWN: dict[Arm, str] = {"off": "elasticity off", "on": "elasticity on", "threshold": "by threshold"}


def plan_of(target: Target, arm: Arm, spec: ElasticSpec) -> Plan:
    """What a child of that arm is to do."""
    mix = spec.mix
    return Plan(
        target=target,
        arm=arm,
        mix=mix,
        mix_sha256=digest(mix),
        cpus=spec.cpus,
        overcommit=spec.overcommit,
        elastic=arm != "off",
        threshold_percent=spec.threshold if arm == "threshold" else 100.0,
        cooldown_s=spec.cooldown_s,
        release_s=Rules().release_s,
        unit_s=spec.unit_s,
        work=spec.work,
        on_shrink=spec.on_shrink,
        patience_s=spec.patience_s,
    )


def child_count(spec: ElasticSpec) -> int:
    """How many children a run takes."""
    return spec.reps * len(ARMS)


def arm_of(child: str) -> tuple[int, Arm] | None:
    """The repetition and the arm of a child of that name."""
    match = _NAME.search(child)
    if match is None:
        return None
    return int(match[1]), next(arm for arm in ARMS if arm == match[2])


def _target(name: str) -> Target:
    return next(target for target in get_args(Target) if target == name)
