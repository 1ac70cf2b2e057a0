"""What a run can't have is refused before anything of it runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from perfdb.errors import ClusterError, UsageError
from perfdb.families.base import Lab
from perfdb.families.schedulers.child.kubernetes.arms_file import describe
from perfdb.families.schedulers.events import MOST_JOB_LINES, MOST_JOB_ROWS
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.workload.load import Loaded
from perfdb.platforms.pocket import Places
from perfdb.platforms.pocket.programs import Programs
from perfdb.redaction import Identity, Redactor


def refuse_what_cannot_be_told(found: Loaded, spec: SchedulersSpec) -> None:
    """A child's log holds so many jobs, and none of the names that are masked there.

    Raises:
        UsageError: there are more, or one is called as somebody or some machine is.
    """
    measured = next((arm.label for arm in spec.parsed if not arm.is_simulated), None)
    most = MOST_JOB_ROWS if measured is None else MOST_JOB_LINES
    if len(found.jobs) * spec.batches > most:
        told = f"{len(found.jobs):,} jobs" + (f" in {spec.batches:,} batches" if spec.batches > 1 else "")
        fewer = f"--jobs {most // spec.batches}"
        if found.source.name == "clog" and found.source.kind == "built-in":  # its jobs are as many as its nodes ask for
            fewer = f"fewer --nodes than {spec.nodes}"
        raise UsageError(
            f"{told} are more than one turn of {measured or 'a simulated arm'} can tell of, which is {most:,}. Give {fewer}."
        )
    masks = Redactor((), Identity.here())
    for name in dict.fromkeys(job.experiment for job in found.jobs):
        if masks.text(json.dumps(name)) != json.dumps(name):
            raise UsageError(
                f"the experiment {name!r} of {found.source.whole} holds the name of a person or a host of this machine, which no "
                "record keeps. Name it otherwise."
            )


def refuse_or_describe(lab: Lab, spec: SchedulersSpec) -> Mapping[str, str]:
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
    for arm in spec.parsed:
        if arm.kind == "slurm" and arm.name and arm.name != "here":
            _refuse_unless_it_runs(arm.name, spec.nodes)
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
    described = describe(names, None if spec.kubernetes is None else Path(spec.kubernetes))
    _refuse_unless_a_cluster_is_named()
    return described


def _refuse_unless_it_runs(name: str, nodes: int) -> None:
    try:
        if Places.of(name).description() is not None:
            return
    except ClusterError as error:
        raise UsageError(f"--arms slurm={name}: {error}") from error
    there = ", ".join(f"slurm={places.name}" for places in Places.all() if places.description() is not None)
    raise UsageError(
        f"no pocket cluster {name!r} runs here{f' (there is {there})' if there else ''}: start it with `perfdb cluster up --name "
        f"{name} --nodes {nodes}`."
    )


def _refuse_unless_a_cluster_is_named() -> None:
    """Whether there is any file, or we run in a cluster: what the file says, the client sees."""
    told = os.environ.get("KUBECONFIG", "")
    files = [Path(part) for part in told.split(os.pathsep) if part] or [Path("~/.kube/config").expanduser()]
    if any(file.exists() for file in files) or (not told and os.environ.get("KUBERNETES_SERVICE_HOST")):
        return
    raise UsageError(
        f"no Kubernetes cluster is named: there is no {' and no '.join(map(str, files))}. Set KUBECONFIG to the file that `kubectl` "
        "uses, and try `kubectl get nodes`."
    )
