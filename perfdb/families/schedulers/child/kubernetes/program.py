"""One arm on the Kubernetes cluster that KUBECONFIG names: jobs are made as they arrive, watched, and all deleted.

Runs in perfdb's own Python. What to do is in PERFDB_SCHEDULERS_PLAN, a folder for it all in PERFDB_RUN_DIR. See `events.py`.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta

# Beside us is a folder's worth of modules that nobody is to import by their bare names.
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if path != HERE]
from perfdb.errors import PerfdbError
from perfdb.families.schedulers.child import telling

try:
    import kubernetes as _kubernetes  # noqa: F401 (only whether it is there)
except ImportError:
    telling.end("failed", "Kubernetes' client is not installed: pip install 'perfdb[kubernetes]'", "", time.time_ns())
    sys.exit(1)
from perfdb.families.schedulers.child.kubernetes import cluster, guard, manifests, names
from perfdb.families.schedulers.child.kubernetes.arms_file import Described
from perfdb.families.schedulers.child.kubernetes.artifacts import Artifacts, images_of, plain
from perfdb.families.schedulers.child.kubernetes.clock import Offset, measure
from perfdb.families.schedulers.child.kubernetes.made import JOB, Kind, Made, end_orphans, kind_of, kinds_text
from perfdb.families.schedulers.child.kubernetes.running import Running
from perfdb.families.schedulers.child.kubernetes.server import AWAY_S, Away, Refused, Server, Unfit, connect
from perfdb.families.schedulers.child.kubernetes.setting_up import (
    SetUp,
    check_scheduler,
    job_words,
    used_kinds,
    webhooks_told,
)
from perfdb.families.schedulers.plan import VARIABLE, Plan
from perfdb.families.schedulers.workload.job import digest
from perfdb.families.schedulers.workload.load import jobs_of

# Time to delete what was made; the guard goes on where it was not enough.
END_S = 20.0


class Stopped(BaseException):
    """We were told to end."""


class Run:
    """One arm, once. `left`: what could not be deleted, '' for nothing."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._described = Described.model_validate_json(plan.kubernetes)
        self._jobs = jobs_of(plan.workload)
        if digest(self._jobs) != plan.workload.sha256:
            raise Unfit("the list of jobs is another one than the other arms got: begin the run again")
        self._server: Server = connect(min(AWAY_S, plan.patience_s))
        self._known: dict[tuple[str, str], Kind] = {}
        self._made: Made | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._running: Running | None = None
        self._artifacts: Artifacts | None = None
        self._nodes: cluster.Nodes | None = None
        self._scheduler: list[manifests.Json] = []
        self._since = ""
        self.offset = Offset(0.0, 1e9)
        self.left = ""

    def run(self) -> bool:
        """Returns whether all jobs were over in time."""
        plan, described, server = self._plan, self._described, self._server
        version = str(server.get("/version").get("gitVersion", ""))[:200]
        self.offset = measure(server.date)
        run = names.new_run()
        namespace = described.jobs.namespace or names.prefix(run)
        runs = self._kind(manifests.MINICLUSTER, "MiniCluster") if described.jobs.workload == "minicluster" else JOB
        kinds = used_kinds(described.arm, self._kind, runs)
        self.left = end_orphans(server, described.jobs.namespace, kinds, END_S)
        nodes = self._nodes = cluster.choose(server, plan.nodes, described.jobs.cpu)
        setting = manifests.Setting(
            run, namespace, described, plan.job, nodes.names, nodes.pins, nodes.cpu, names.of_this_process()
        )
        for job in self._jobs:
            manifests.of_a_job(setting, job, 1)  # what can't be made is told before anything is
        self._made = Made(server, run, namespace, not described.jobs.namespace, kinds)
        self._guard = _watch_over(self._made)
        SetUp(server, setting, self._made, self._kind, plan.patience_s).make()
        self._scheduler, said = check_scheduler(server, described.arm)
        for text in (said, webhooks_told(server)):
            if text:
                telling.note(text)
        host = server.host
        self._artifacts = Artifacts(os.environ["PERFDB_RUN_DIR"], nodes.names, [host])
        self._artifacts.table("nodes", [cluster.described(one, number) for number, one in enumerate(nodes.objects)])
        telling.answer("nodes", when="before", states=cluster.states(server, nodes.names, ()))
        self._running = Running(server, self._made, setting, self.offset, self._kind, telling.answer)
        return self._running.run(self._jobs, plan.batches, plan.patience_s, lambda: self._begin(setting, version))

    def end(self) -> None:
        """Tell what became of the jobs that are not over, keep what is to be kept, delete all that was made."""
        if self._running is not None:
            self._running.close(END_S)
            self._keep(self._running)
        left = self._made.delete_all(END_S) if self._made is not None else ""
        self.left = "; ".join(part for part in (self.left, left) if part)
        if self._running is not None and self._nodes is not None:
            try:
                telling.answer("nodes", when="after", states=cluster.states(self._server, self._nodes.names, ()))
            except (Refused, Away) as error:
                telling.note(f"how the nodes are afterwards is not known: {error}")
        if self._guard is not None and not left:
            self._guard.communicate(guard.DONE)

    def _begin(self, setting: manifests.Setting, version: str) -> None:
        # A log's sinceTime has whole seconds of the server's clock.
        instant = datetime.fromtimestamp(self.offset.now_ns() / 1e9, UTC) - timedelta(seconds=1)
        self._since = instant.strftime("%Y-%m-%dT%H:%M:%SZ")
        telling.answer(
            "begin",
            arm=self._plan.arm,
            workload=self._plan.workload.sha256,
            jobs=len(self._jobs),
            nodes=self._plan.nodes,
            fresh=any(template["kind"] == "Deployment" for template in self._described.arm.per_arm),
            version=version,
            settings=job_words(setting),
            clock={
                "name": "API server",
                "resolution_s": 1.0,
                "offset_s": self.offset.seconds,
                "uncertainty_s": self.offset.uncertainty_s,
            },
            ns=self.offset.now_ns(),
        )

    def _keep(self, running: Running) -> None:
        artifacts = self._artifacts
        assert artifacts is not None
        try:
            images = images_of((*running.pods().values(), *self._scheduler))
            artifacts.table("images", images)
            artifacts.table("manifests", [plain(body) for body in running.manifests])
            artifacts.table(
                "pods",
                [
                    {"job": one.work.job, "batch": one.batch, "pod": number, "node": pod.node, "scheduled": pod.scheduled,
                     "started": pod.started, "ended": pod.ended, "released": pod.released, "reason": pod.reason}
                    for one in running.held
                    for number, pod in enumerate(one.pods)
                ],
            )  # fmt: skip
            if missing := artifacts.logs(self._server, self._scheduler, self._since):
                telling.note(f"of the scheduler's logs these are missing: {missing}")
        except OSError as error:
            telling.note(f"not all that is to be kept could be written: {error}")
        if (held_s := running.held_by_parts_s()) > 0:
            telling.note(
                f"parts of jobs held nodes for {held_s:.0f} node-seconds while the rest of the same job had none"
            )
        if running.relists:
            telling.note(
                f"the server had forgotten what was seen last, and everything was listed again: {running.relists} times"
            )

    def _kind(self, api: str, kind: str) -> Kind:
        if (api, kind) not in self._known:
            self._known[api, kind] = JOB if (api, kind) == ("batch/v1", "Job") else kind_of(self._server, api, kind)
        return self._known[api, kind]


def main() -> int:
    """Returns the exit code."""
    outcome, trouble = "failed", None
    run = None
    try:
        run = Run(Plan.model_validate_json(os.environ[VARIABLE]))
        outcome = "all" if run.run() else "timeout"
    except Stopped:
        outcome = "stopped"
    except (Refused, Away, Unfit, manifests.Unfit, PerfdbError, ValueError, OSError) as error:
        trouble = str(error)
    except Exception as error:  # noqa: BLE001 (told, and what was seen until then as well)
        traceback.print_exc()
        trouble = f"{type(error).__name__}: {error}"
    _ignore_signals()
    if run is not None:
        run.end()
    now = run.offset.now_ns() if run is not None else time.time_ns()
    telling.end(outcome, trouble, run.left if run is not None else "", now)
    return 0 if outcome == "all" else 1


def _watch_over(made: Made) -> subprocess.Popen[bytes]:
    """Start what deletes the objects should we be killed."""
    said = {
        "run": made.run,
        "namespace": made.namespace,
        "owns_namespace": made.owns_namespace,
        "kinds": kinds_text(made.kinds),
    }
    return subprocess.Popen(
        [sys.executable, guard.__file__, json.dumps(said)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _stop(*_: object) -> None:
    _ignore_signals()
    raise Stopped


if __name__ == "__main__":
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, _stop)
    code = main()
    sys.stderr.flush()
    os._exit(code)
