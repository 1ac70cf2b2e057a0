"""Arms of the kind `kubernetes:NAME` as data: a TOML file, and those that are built in. What a file says is hostile.

[jobs]                                    # the same for every arm: this is what makes them alike
image = "docker.io/library/debian:bookworm-slim"
workload = "job"                          # or "minicluster"

[arms.mine]
scheduler_name = "my-scheduler"
pod_labels = {"scheduling.x-k8s.io/pod-group" = "{job}"}
[[arms.mine.objects]]                     # made for each job, before it
apiVersion = "scheduling.x-k8s.io/v1alpha1"
kind = "PodGroup"
metadata = {name = "{job}"}
spec = {minMember = "{nodes}"}
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from perfdb.errors import UsageError
from perfdb.families.schedulers.child.kubernetes import templates

BUILT_IN = Path(__file__).with_name("builtin.toml")
LARGEST_BYTES = 256 * 1024
MOST_ARMS = 50

_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
_Scheduler = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
_Namespace = Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$")]
_Image = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,499}$")]
_Quantity = Annotated[str, Field(pattern=r"^([0-9]{1,9}(\.[0-9]{1,9})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?)?$")]
_Key = Annotated[str, Field(pattern=r"^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
_Value = Annotated[str, Field(max_length=200)]
_Words = Annotated[dict[_Key, _Value], Field(max_length=20)]
_Selector = Annotated[str, Field(pattern=r"^[A-Za-z0-9._/=, ()!-]{1,300}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SchedulerLogs(_Part):
    """Where the scheduler's own pods are: their logs and images are kept with the run."""

    namespace: Annotated[_Namespace, Field(min_length=1)]
    selector: _Selector


class Lammps(_Part):
    """What `--job lammps` runs: an image, and a command whose `{steps}` are as many for a second of the job as in every arm."""

    image: _Image
    command: Annotated[tuple[_Value, ...], Field(min_length=1, max_length=100, strict=False)]

    @field_validator("command")
    @classmethod
    def _is_a_template(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        templates.check(list(command), {"steps", "nodes"})
        return command


class Jobs(_Part):
    """What a job's pods are, in every arm alike: a gang of N is N pods, one on each node.

    Attributes:
        image: Of the pods; needs `sh`, `date`, `sleep` and `timeout`. Nodes have it before the first job (`pull`).
        workload: `job`, an indexed Job; or `minicluster`, a MiniCluster of the Flux Operator.
        cpu: Request of a pod; '' for a little more than half of the largest node, so that no two fit on one.
        memory: Request of a pod; '' for none.
        spread: Whether pods of the run refuse to share a node as well (anti-affinity).
        namespace: '' for one of its own, made and deleted each time; else one that is there already, and stays.
        pull: Whether every node gets the image before the first job.
        lammps: What `--job lammps` runs.
        flux_view: Of a MiniCluster: the image that Flux comes from, built for the same system as `image` is.
    """

    image: _Image = "docker.io/library/debian:bookworm-slim"
    workload: Literal["job", "minicluster"] = "job"
    cpu: _Quantity = ""
    memory: _Quantity = ""
    spread: bool = False
    namespace: _Namespace = ""
    pull: bool = True
    lammps: Lammps | None = None
    flux_view: _Image = "ghcr.io/converged-computing/flux-view-rocky:tag-9"


class KubernetesArm(_Part):
    """One scheduler in one set-up.

    Attributes:
        scheduler_name: `schedulerName` of every pod.
        image: The scheduler's own; '' where nobody says. One of `scheduler_logs`' pods must run it. `{image}` in objects.
        suspended: Whether Jobs are made suspended, for a queue that resumes them.
        job_labels, job_annotations, pod_labels, pod_annotations: On each job, and on its pods; values are templates.
        objects: Templates of objects made for each job, before it.
        per_arm: Templates of objects made once, before the first job, such as a queue or the scheduler itself.
        scheduler_logs: None for logs that can't be read.
    """

    scheduler_name: _Scheduler = "default-scheduler"
    image: Annotated[_Image, Field()] | Literal[""] = ""
    suspended: bool = False
    job_labels: _Words = {}
    job_annotations: _Words = {}
    pod_labels: _Words = {}
    pod_annotations: _Words = {}
    objects: Annotated[tuple[dict[str, Any], ...], Field(max_length=20, strict=False)] = ()
    per_arm: Annotated[tuple[dict[str, Any], ...], Field(max_length=20, strict=False)] = ()
    scheduler_logs: SchedulerLogs | None = None

    @field_validator("job_labels", "job_annotations", "pod_labels", "pod_annotations")
    @classmethod
    def _are_templates(cls, words: dict[str, str]) -> dict[str, str]:
        templates.check(words, templates.OF_A_JOB)
        if ours := next((key for key in words if key.startswith("perfdb")), ""):
            raise ValueError(f"{ours}: names that begin with perfdb say whose an object is")
        return words

    @field_validator("objects")
    @classmethod
    def _of_a_job(cls, objects: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for one in objects:
            templates.check_object(one, templates.OF_A_JOB, "{job}")
        return objects

    @field_validator("per_arm")
    @classmethod
    def _of_the_arm(cls, objects: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        for one in objects:
            templates.check_object(one, templates.OF_AN_ARM, "perfdb-{run}")
        return objects


class Described(_Part):
    """All that a child needs to know of its arm: the text of `Plan.kubernetes`."""

    name: _Name
    arm: KubernetesArm
    jobs: Jobs


class _File(_Part):
    jobs: Jobs = Jobs()
    arms: Annotated[dict[_Name, KubernetesArm], Field(max_length=MOST_ARMS)] = {}


def describe(names: Iterable[str], path: Path | None = None) -> dict[str, str]:
    """The descriptions of those arms, as JSON: of the file, else built in.

    Raises:
        UsageError: the file can't be read or is no such file, or nobody describes one of them.
    """
    built_in = _read(BUILT_IN)
    given = _read(path) if path is not None else _File()
    arms: Mapping[str, KubernetesArm] = {**built_in.arms, **given.arms}
    found = {}
    for name in names:
        if name not in arms:
            raise UsageError(
                f"nobody describes the arm kubernetes:{name}. Known are {', '.join(sorted(arms))}; describe another one in a "
                "TOML file, and name that with --kubernetes FILE (see docs/how-to/kubernetes-schedulers.md)"
            )
        found[name] = Described(name=name, arm=arms[name], jobs=given.jobs).model_dump_json()
    return found


def _read(path: Path) -> _File:
    try:
        if path.exists() and not path.is_file():  # a pipe would keep us waiting
            raise ValueError("it is no file")
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
        if len(data) > LARGEST_BYTES:
            raise ValueError(f"it is larger than {LARGEST_BYTES // 1024} KiB")
        return _File.model_validate(tomllib.loads(data.decode()))
    except (OSError, ValueError, RecursionError) as error:
        # A TOML error, bytes that are no text and what pydantic refuses are ValueErrors.
        raise UsageError(
            f"{path} describes no arms of Kubernetes: {_told(error)}. Mend it (docs/how-to/kubernetes-schedulers.md shows one), "
            "or leave out --kubernetes for the built-in arms"
        ) from error


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part)[:80] for part in first["loc"])
        return f"{where[:200]}: {first['msg'][:300]}"
    if isinstance(error, OSError):
        return error.strerror or "it can't be read"
    return str(error)[:300] or type(error).__name__
