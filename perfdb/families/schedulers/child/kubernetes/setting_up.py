"""Before the first job: what earlier runs left is deleted, the namespace and the arm's own objects are made, images are pulled."""

from __future__ import annotations

import time
from collections.abc import Callable

from perfdb.families.schedulers.child.kubernetes import manifests
from perfdb.families.schedulers.child.kubernetes.arms_file import KubernetesArm
from perfdb.families.schedulers.child.kubernetes.made import DAEMON_SET, NAMESPACE, POD, Kind, Made, kinds_text
from perfdb.families.schedulers.child.kubernetes.manifests import Json, Setting
from perfdb.families.schedulers.child.kubernetes.server import Away, Refused, Server, Unfit

_FIRST_S, _LONGEST_S = 0.1, 2.0
_ACCOUNT_S = 30.0
_WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


class SetUp:
    """Of one arm's run.

    Args:
        server, setting, made: The cluster, what all jobs share, and what is made.
        kind_of: From an apiVersion and a kind to how the server knows it.
        patience_s: How long a scheduler may take to come up, and an image to be pulled.
    """

    def __init__(
        self, server: Server, setting: Setting, made: Made, kind_of: Callable[[str, str], Kind], patience_s: float
    ) -> None:
        self._server, self._setting, self._made = server, setting, made
        self._kind_of, self._patience_s = kind_of, patience_s

    def make(self) -> None:
        """Make all that there is before the first job.

        Raises:
            Unfit: the scheduler does not come up, or the image can't be had.
            Refused, Away: as the server says.
        """
        setting = self._setting
        if self._made.owns_namespace:
            self._made.create(NAMESPACE, manifests.namespace(setting, kinds_text(self._made.kinds)))
            self._wait(_ACCOUNT_S, self._has_account, "the namespace's service account is not made")
        for template in setting.described.arm.per_arm:
            body = manifests.of_template(setting, template, setting.words())
            kind = self._kind_of(body["apiVersion"], body["kind"])
            self._made.create(kind, body)
            if body["kind"] == "Deployment":
                self._wait_until_up(kind, body)
        if setting.described.jobs.pull:
            self._pull()

    def _wait_until_up(self, kind: Kind, body: Json) -> None:
        path = kind.path(self._setting.namespace, body["metadata"]["name"])

        def is_up() -> bool:
            conditions = (self._server.get(path).get("status") or {}).get("conditions") or []
            return any(one.get("type") == "Available" and one.get("status") == "True" for one in conditions)

        self._wait(self._patience_s, is_up, f"{kind.plural} {body['metadata']['name']} does not become available")

    def _pull(self) -> None:
        body = manifests.puller(self._setting)
        name = body["metadata"]["name"]
        self._made.create(DAEMON_SET, body)
        path = DAEMON_SET.path(self._setting.namespace, name)

        def has_pulled() -> bool:
            status = self._server.get(path).get("status") or {}
            wanted = int(status.get("desiredNumberScheduled") or 0)
            return wanted >= len(self._setting.nodes) and int(status.get("numberReady") or 0) >= wanted

        image = body["spec"]["template"]["spec"]["containers"][0]["image"]
        self._wait(self._patience_s, has_pulled, f"not every node has pulled {image}")
        self._made.delete(DAEMON_SET, name)
        pods = POD.path(self._setting.namespace)
        selector = f"perfdb-pull={self._setting.run}"
        self._wait(
            self._patience_s, lambda: not self._server.list(pods, selector)[0], "the pods that pulled it do not end"
        )

    def _has_account(self) -> bool:
        try:
            self._server.get(f"/api/v1/namespaces/{self._setting.namespace}/serviceaccounts/default")
        except Refused as refused:
            return refused.status != 404  # who may not look can't wait for it
        return True

    @staticmethod
    def _wait(patience_s: float, is_so: Callable[[], bool], otherwise: str) -> None:
        deadline, pause_s = time.monotonic() + patience_s, _FIRST_S
        while not is_so():
            if time.monotonic() > deadline:
                raise Unfit(
                    f"{otherwise}, in {patience_s:g} s: `kubectl get pods,events -A` says why; --patience-s gives more time"
                )
            time.sleep(pause_s)
            pause_s = min(_LONGEST_S, pause_s * 1.5)


def check_scheduler(server: Server, arm: KubernetesArm) -> tuple[list[Json], str]:
    """The scheduler's own pods, and what is to be noted of them.

    Raises:
        Unfit: none of them runs the image that the arm names.
    """
    where = arm.scheduler_logs
    if where is None:
        return [], ""
    try:
        pods, _ = server.list(f"/api/v1/namespaces/{where.namespace}/pods", where.selector)
    except (Refused, Away) as error:
        return [], f"the scheduler's pods can't be seen, nor their logs: {error}"
    images = {str(one.get("image")) for pod in pods for one in (pod.get("spec") or {}).get("containers") or []}
    makes_its_own = any(template["kind"] == "Deployment" for template in arm.per_arm)
    if arm.image and arm.image not in images and not makes_its_own:
        told = ", ".join(sorted(images)) or "no pod at all"
        raise Unfit(
            f"the arm's scheduler is to be {arm.image}, and {where.namespace} has {told[:500]} with {where.selector}: install it "
            "(deploy/kubernetes/schedulers/README.md), or correct `image` in the arms' file"
        )
    if pods:
        return pods, ""
    return (
        [],
        f"no pod of the scheduler is in {where.namespace} with {where.selector}: a managed control plane hides it",
    )


def webhooks_told(server: Server) -> str:
    """Which mutating webhooks see pods or jobs of every arm, for a note; '' for none, or where we may not look."""
    try:
        found, _ = server.list(_WEBHOOKS)
    except (Refused, Away):
        return ""
    names = sorted(one["metadata"]["name"] for one in found if any(map(_sees_jobs, one.get("webhooks") or [])))
    if not names:
        return ""
    return f"these webhooks may change pods or jobs of every arm as they are made, and hold them up: {', '.join(names)[:500]}"


def _sees_jobs(webhook: Json) -> bool:
    return any(
        {"CREATE", "*"} & set(rule.get("operations") or ())
        and {"pods", "jobs", "*", "*/*"} & set(rule.get("resources") or ())
        for rule in webhook.get("rules") or []
    )


def used_kinds(arm: KubernetesArm, kind_of: Callable[[str, str], Kind], runs: Kind) -> tuple[Kind, ...]:
    """Of all that the arm makes, what waits first, as it is to be deleted: jobs, then what they need, then what the arm needs."""
    made = [kind_of(one["apiVersion"], one["kind"]) for one in (*arm.objects, *reversed(arm.per_arm))]
    return tuple(dict.fromkeys((runs, *made)))


def job_words(setting: Setting) -> dict[str, str]:
    """What of the set-up matters, for the record."""
    described = setting.described
    return {
        "schedulerName": described.arm.scheduler_name[:200],
        "scheduler image": described.arm.image[:200],
        "workload": described.jobs.workload,
        "job image": described.jobs.image[:200],
        "cpu request": setting.cpu,
        "memory request": described.jobs.memory,
        "one pod per node by": "request and anti-affinity" if described.jobs.spread else "request",
        "pinned to nodes": "yes" if setting.pins else "no",
        "pod labels": " ".join(sorted(described.arm.pod_labels))[:200],
        "objects per job": " ".join(str(one["kind"]) for one in described.arm.objects)[:200],
        "objects per arm": " ".join(str(one["kind"]) for one in described.arm.per_arm)[:200],
        "suspended": "yes" if described.arm.suspended else "no",
        "does": setting.does,
    }
