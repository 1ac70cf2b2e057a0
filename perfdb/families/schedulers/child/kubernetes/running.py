"""The jobs of one arm, from the first arrival to the last end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from perfdb.families.schedulers.child.kubernetes import manifests, names, timeline
from perfdb.families.schedulers.child.kubernetes.clock import Offset, ns_of
from perfdb.families.schedulers.child.kubernetes.made import JOB, POD, Kind, Made
from perfdb.families.schedulers.child.kubernetes.manifests import Setting
from perfdb.families.schedulers.child.kubernetes.server import Away, Refused, Server
from perfdb.families.schedulers.child.kubernetes.timeline import Life, Pod
from perfdb.families.schedulers.child.kubernetes.watching import Watched
from perfdb.families.schedulers.workload.job import WorkJob

Answer = Callable[..., None]
_TELL_EVERY_S = 1.0
# A job is over before all that its pods say of their end is here.
_SETTLE_S = 5.0
# Of larger jobs nobody asks every pod what it wrote.
_MOST_LOGS = 64
_LOG_QUERY = {"tailLines": 20, "limitBytes": 8192}


@dataclass
class Held:
    """A job that was submitted."""

    work: WorkJob
    batch: int
    name: str
    submitted: int | None
    over_s: float | None = None
    is_told: bool = False
    pods: list[Pod] = field(default_factory=list)


class Running:
    """Submits, watches and tells.

    Args:
        server, made, setting, offset: The cluster, what is made there, what jobs share, the server's clock.
        kind_of: From an apiVersion and a kind to how the server knows it.
        answer: Tells perfdb.
    """

    def __init__(
        self,
        server: Server,
        made: Made,
        setting: Setting,
        offset: Offset,
        kind_of: Callable[[str, str], Kind],
        answer: Answer,
    ) -> None:
        self._server, self._made, self._setting, self._offset = server, made, setting, offset
        self._kind_of, self._answer = kind_of, answer
        self._changed = threading.Condition()
        selector = f"{names.LABEL}={setting.run}"
        self._jobs = Watched(server, JOB, setting.namespace, selector, self._changed)
        self._pods = Watched(server, POD, setting.namespace, selector, self._changed)
        self._readers = ThreadPoolExecutor(max_workers=4)
        self._reading: list[Any] = []
        self._reads_logs = True
        self._uncertainty = round(offset.uncertainty_s * 1e9)
        self._zero_s = self._told_s = time.monotonic()
        self.held: list[Held] = []
        self.manifests: list[dict[str, Any]] = []

    def run(self, jobs: Sequence[WorkJob], batches: int, patience_s: float, begin: Callable[[], None]) -> bool:
        """All batches, one after the other; returns whether all jobs were over in time.

        Raises:
            Refused, Away: a job could not be submitted.
        """
        self._jobs.start()
        self._pods.start()
        begin()
        self._zero_s = time.monotonic()
        for batch in range(1, batches + 1):
            begun_s = time.monotonic()
            if batch > 1:
                self._answer("batch", batch=batch, ns=self._offset.now_ns())
            for job in sorted(jobs, key=lambda one: (one.arrival_s, one.job)):
                self._until(begun_s + job.arrival_s)
                self._submit(batch, job)
            deadline = time.monotonic() + patience_s
            while any(not one.is_told for one in self.held):
                if time.monotonic() > deadline:
                    return False
                self._wait(deadline)
        return True

    def close(self, patience_s: float) -> None:
        """Tell of those that are not over, and wait for what is still read."""
        self._look()
        self._jobs.stop()
        self._pods.stop()
        for one in self.held:
            if not one.is_told:
                one.is_told = True
                pods = self._pods_of(one.name)
                one.pods = pods
                state = self._verdict(one)
                self._tell(one, timeline.life(one.work.nodes, one.submitted, pods, state), {})
        wait(self._reading, patience_s)
        self._readers.shutdown(wait=False, cancel_futures=True)

    def held_by_parts_s(self) -> float:
        """Node-seconds for which parts of jobs held nodes while the rest of the same job had none."""
        now = self._offset.now_ns()
        return sum(timeline.held_by_parts_s(one.work.nodes, one.pods, now) for one in self.held)

    def pods(self) -> dict[str, Any]:
        """The pods as the server last told."""
        return self._pods.now()

    @property
    def relists(self) -> int:
        """How often everything had to be listed again."""
        return max(0, self._jobs.relists - 1) + max(0, self._pods.relists - 1)

    def _submit(self, batch: int, job: WorkJob) -> None:
        name = names.job_name(self._setting.run, batch, job.job)
        bodies = manifests.of_a_job(self._setting, job, batch)
        if not self.manifests:
            self.manifests = bodies
        for body in bodies:
            sent = self._offset.now_ns()
            found = self._made.create(self._kind_of(body["apiVersion"], body["kind"]), body)
        answered = self._offset.now_ns()
        created = ns_of(found["metadata"].get("creationTimestamp"))
        submitted = timeline.submitted_ns(created, sent, answered, self._uncertainty)
        self.held.append(Held(job, batch, name, submitted))

    def _until(self, instant_s: float) -> None:
        while time.monotonic() < instant_s:
            self._wait(instant_s)

    def _wait(self, until_s: float) -> None:
        now_s = time.monotonic()
        # A job that is over waits for its pods' last words; nobody notifies when that is long enough.
        until_s = min(until_s, now_s + _TELL_EVERY_S)
        with self._changed:
            self._changed.wait(max(0.0, until_s - now_s))
        self._look()
        if time.monotonic() - self._told_s >= _TELL_EVERY_S:
            self._progress()

    def _look(self) -> None:
        pods = self._by_job()
        for one in self.held:
            if one.is_told or not (state := self._verdict(one)):
                continue
            one.over_s = time.monotonic() if one.over_s is None else one.over_s
            one.pods = pods.get(one.name, [])
            is_settled = len(one.pods) >= one.work.nodes and all(pod.is_over for pod in one.pods)
            if is_settled or time.monotonic() - one.over_s > _SETTLE_S:
                one.is_told = True
                known = timeline.life(one.work.nodes, one.submitted, one.pods, state)
                self._reading.append(self._readers.submit(self._tell_whole, one, known))

    def _verdict(self, one: Held) -> str:
        job = self._jobs.now().get(one.name)
        if job is None:
            return ""
        return timeline.verdict(job) or ("CANCELLED" if one.name in self._jobs.deleted else "")

    def _by_job(self) -> dict[str, list[Pod]]:
        found: dict[str, list[Pod]] = {}
        for pod in self._pods.now().values():
            labels = (pod.get("metadata") or {}).get("labels") or {}
            name = labels.get("batch.kubernetes.io/job-name") or labels.get("job-name")
            found.setdefault(str(name), []).append(timeline.read_pod(pod))
        return found

    def _pods_of(self, name: str) -> list[Pod]:
        return self._by_job().get(name, [])

    def _tell_whole(self, one: Held, known: Life) -> None:
        logs = self._logs(one)
        said = _own_words(logs)
        self._tell(one, timeline.judged(timeline.narrowed(known, said), logs), said)

    def _tell(self, one: Held, known: Life, said: dict[str, int]) -> None:
        numbers = {name: number for number, name in enumerate(self._setting.nodes)}
        placed = [numbers[pod.node] for pod in one.pods if pod.node in numbers]
        self._answer(
            "job",
            job=one.work.job,
            batch=one.batch,
            submitted=known.submitted,
            eligible=known.submitted,
            allocated=known.allocated,
            started=known.started,
            ended=known.ended,
            released=known.released,
            inside_began=said.get("began"),
            inside_ended=said.get("ended"),
            state=known.state,
            node_list=timeline.ranges(placed),
        )

    def _logs(self, one: Held) -> list[str]:
        """What each of its pods wrote last; nothing where one of them can't be read."""
        if not self._reads_logs or len(one.pods) > _MOST_LOGS:
            return []
        logs = []
        for pod in one.pods:
            path = f"{POD.path(self._setting.namespace, pod.name)}/log"
            try:
                logs.append(self._server.text(path, **_LOG_QUERY))
            except Refused as refused:
                if refused.status == 403:
                    self._reads_logs = False
                return []
            except Away:
                return []
        return logs

    def _progress(self) -> None:
        self._told_s = time.monotonic()
        ended = sum(one.is_told for one in self.held)
        pods = self._by_job()
        begun = sum(
            not one.is_told
            and len([pod for pod in pods.get(one.name, []) if pod.started is not None]) >= one.work.nodes
            for one in self.held
        )
        at_s = self._told_s - self._zero_s
        self._answer("progress", at_s=at_s, submitted=len(self.held), running=begun, ended=ended)


def _own_words(logs: Sequence[str]) -> dict[str, int]:
    """The last of pods' first words, and of their last ones, where all of them have it."""
    said = [timeline.stamps(log) for log in logs]
    whole = ("began", "ended") if said else ()
    return {which: max(words[which] for words in said) for which in whole if all(which in words for words in said)}
