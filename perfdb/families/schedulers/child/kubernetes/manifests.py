"""What is made for a job: an indexed Job, or a MiniCluster, whose pods are its nodes. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from perfdb.families.schedulers.child.kubernetes import names, templates
from perfdb.families.schedulers.child.kubernetes.arms_file import Described
from perfdb.families.schedulers.plan import STEPS_PER_S
from perfdb.families.schedulers.workload.job import WorkJob

Json = dict[str, Any]
HOSTNAME = "kubernetes.io/hostname"
MINICLUSTER = "flux-framework.org/v1alpha2"
# What a pod may take to end once it is told to: it has nothing to save.
GRACE_S = 1
# A `date` that knows no nanoseconds says something else, or nothing, in their place.
_STAMPED = """t() { n=$(date +%s%N); case $n in *[!0-9]*|??????????) n=$(date +%s)000000000;; esac; echo "perfdb $1 $n"; }
t began
"$@"
code=$?
t ended
exit $code"""
# At the end of the script that the operator makes: it ends with 0 whatever became of the job, and would hide that it failed.
_TOLD = 'echo "perfdb code $?"'


class Unfit(ValueError):
    """No such job can be made; the text says why, and what to do."""


@dataclass(frozen=True)
class Setting:
    """What all jobs of a run share.

    Attributes:
        run: The run's number. namespace: where it all is.
        described: The arm and what jobs' pods are.
        does: What a job does for its run_s.
        nodes: The names of the nodes that the arm has.
        pins: Whether there are more, so that pods must be kept from those.
        cpu: Request of a pod. process: who makes it all, see `names`.
    """

    run: str
    namespace: str
    described: Described
    does: Literal["sleep", "burn", "lammps"]
    nodes: Sequence[str]
    pins: bool
    cpu: str
    process: str

    def words(self, job: WorkJob | None = None, name: str = "") -> Mapping[str, str | int]:
        """What templates may say, of the arm or of a job of that name."""
        arm = self.described.arm
        words: dict[str, str | int] = {
            "run": self.run,
            "namespace": self.namespace,
            "image": arm.image,
            "scheduler": arm.scheduler_name,
            "cluster_nodes": len(self.nodes),
        }
        return words if job is None else {**words, "job": name, "nodes": job.nodes}


def of_a_job(setting: Setting, job: WorkJob, batch: int) -> list[Json]:
    """Everything that is made for that job, in order; the last is what runs.

    Raises:
        Unfit: nobody says how to do what it is to do.
    """
    name = names.job_name(setting.run, batch, job.job)
    words = setting.words(job, name)
    extra = [of_template(setting, template, words) for template in setting.described.arm.objects]
    make = _minicluster if setting.described.jobs.workload == "minicluster" else _indexed_job
    return [*extra, make(setting, job, name, words)]


def of_template(setting: Setting, template: Mapping[str, Any], words: Mapping[str, str | int]) -> Json:
    """The object of that template, with what says whose it is."""
    made: Json = templates.fill(template, words)
    metadata = made["metadata"]
    made["metadata"] = {**metadata, **_whose(setting, metadata)}
    return made


def puller(setting: Setting) -> Json:
    """A DaemonSet whose pods are ready once their nodes have the jobs' image."""
    name = f"{names.prefix(setting.run)}-pull"
    spec = _pod_spec(setting, {"requests": {}})
    # Whoever may place pods for an image is not what is measured.
    spec |= {"schedulerName": "default-scheduler", "restartPolicy": "Always"}
    spec["containers"][0] |= {"image": _image(setting), "command": ["sh", "-c", "while :; do sleep 60; done"]}
    if setting.described.jobs.workload == "minicluster":
        view = {"name": "view", "image": setting.described.jobs.flux_view, "command": ["sh", "-c", "exit 0"]}
        spec["initContainers"] = [view]
    labels = {"perfdb-pull": setting.run}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, **_whose(setting, {})},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": {**labels, names.LABEL: setting.run}}, "spec": spec},
        },
    }


def namespace(setting: Setting, kinds: str) -> Json:
    """The run's own; it says which kinds of objects there may be, for who cleans up after us."""
    whose = _whose(setting, {})
    whose["annotations"][names.KINDS] = kinds
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": setting.namespace, **whose}}


def _whose(setting: Setting, metadata: Mapping[str, Any]) -> Json:
    return {
        "labels": {**metadata.get("labels", {}), names.LABEL: setting.run},
        "annotations": {**metadata.get("annotations", {}), names.PROCESS: setting.process},
    }


def _indexed_job(setting: Setting, job: WorkJob, name: str, words: Mapping[str, str | int]) -> Json:
    arm = setting.described.arm
    spec = _pod_spec(setting, _resources(setting))
    # A pod's deadline counts from its start, a Job's from its making: only the first is the job's limit.
    spec |= {"activeDeadlineSeconds": max(1, math.ceil(job.limit_s)), "restartPolicy": "Never"}
    spec["containers"][0] |= {
        "image": _image(setting),
        "command": ["sh", "-c", _STAMPED, "sh", *_command(setting, job)],
    }
    labels = templates.texts(arm.job_labels, words)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            **_whose(setting, {"labels": labels, "annotations": templates.texts(arm.job_annotations, words)}),
        },
        "spec": {
            "completions": job.nodes,
            "parallelism": job.nodes,
            "completionMode": "Indexed",
            "backoffLimit": 0,
            **({"suspend": True} if arm.suspended else {}),
            "template": {
                "metadata": {
                    "labels": {**templates.texts(arm.pod_labels, words), names.LABEL: setting.run},
                    "annotations": templates.texts(arm.pod_annotations, words),
                },
                "spec": spec,
            },
        },
    }


def _minicluster(setting: Setting, job: WorkJob, name: str, words: Mapping[str, str | int]) -> Json:
    arm = setting.described.arm
    if setting.does == "burn":
        raise Unfit(
            "a MiniCluster's job can sleep or run lammps: give --job sleep, or workload = \"job\" in the arms' file"
        )
    if setting.pins:
        raise Unfit("a MiniCluster can't be kept from some of the nodes: give --nodes as many as there are")
    return {
        "apiVersion": MINICLUSTER,
        "kind": "MiniCluster",
        "metadata": {
            "name": name,
            **_whose(setting, {"annotations": templates.texts(arm.job_annotations, words)}),
        },
        "spec": {
            "size": job.nodes,
            "tasks": job.nodes,
            # Without a name of its own it shares a service, whose selector is the first one's.
            "network": {"headlessName": name},
            # The least there is: 0 stands for the operator's own 100.
            "backoffLimit": 1,
            "flux": {"container": {"image": setting.described.jobs.flux_view}},
            "jobLabels": {**templates.texts(arm.job_labels, words), names.LABEL: setting.run},
            "pod": {
                "schedulerName": arm.scheduler_name,
                "restartPolicy": "Never",
                "labels": {**templates.texts(arm.pod_labels, words), names.LABEL: setting.run},
                "annotations": templates.texts(arm.pod_annotations, words),
            },
            "containers": [
                {
                    "image": _image(setting),
                    # Its deadlineSeconds would count from the Job's making, and so the wait as well.
                    "command": " ".join(["timeout", f"{job.limit_s:.3f}", *_command(setting, job)]),
                    "commands": {"post": _TOLD},
                    "resources": {"requests": _resources(setting)["requests"]},
                }
            ],
        },
    }


def _pod_spec(setting: Setting, resources: Json) -> Json:
    spec: Json = {
        "schedulerName": setting.described.arm.scheduler_name,
        "terminationGracePeriodSeconds": GRACE_S,
        "automountServiceAccountToken": False,
        "containers": [{"name": "job", "resources": resources}],
    }
    affinity: Json = {}
    if setting.pins:
        named = {"matchExpressions": [{"key": HOSTNAME, "operator": "In", "values": list(setting.nodes)}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [named]}}
        affinity["nodeAffinity"] = required
    if setting.described.jobs.spread:
        others = {"labelSelector": {"matchLabels": {names.LABEL: setting.run}}, "topologyKey": HOSTNAME}
        affinity["podAntiAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": [others]}
    return {**spec, "affinity": affinity} if affinity else spec


def _resources(setting: Setting) -> Json:
    memory = setting.described.jobs.memory
    return {"requests": {"cpu": setting.cpu, **({"memory": memory} if memory else {})}}


def _image(setting: Setting) -> str:
    jobs = setting.described.jobs
    return jobs.lammps.image if setting.does == "lammps" and jobs.lammps is not None else jobs.image


def _command(setting: Setting, job: WorkJob) -> list[str]:
    if setting.does == "sleep":
        return ["sleep", f"{job.run_s:.3f}"]
    if setting.does == "burn":
        return ["sh", "-c", f"timeout {job.run_s:.3f} sh -c 'while :; do :; done' || true"]
    lammps = setting.described.jobs.lammps
    if lammps is None:
        raise Unfit(
            "nobody says how to run lammps there: give `lammps = {image = …, command = […]}` under [jobs] of the arms' file"
        )
    words = {"steps": max(1, round(job.run_s * STEPS_PER_S)), "nodes": job.nodes}
    return [str(templates.fill(word, words)) for word in lammps.command]
