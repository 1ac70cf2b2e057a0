"""One resize of one job, its chain told as it goes.

A job is told of a shrink first and its nodes go when it has let go of them; of a growth it is told once Slurm has made it.
`signalled` is when Slurm was asked to send the signal, so what Slurm takes for it counts until the job acknowledges.
"""

import time

import answers
import telling
from commands import Away, Refused

# Between two tries while the controller is away, and how long we try.
AGAIN_S, AWAY_S = 0.25, 30.0
# A node that a job has just left may take a moment.
FREE_S = 3.0


class Resize:
    """Makes `job` hold `to` nodes. `run` it once, in a thread of its own."""

    def __init__(self, cluster, heard, job, to, release_s):
        self._slurm, self._cluster, self._heard = cluster.slurm, cluster, heard
        self._job, self._to = job, to
        self._release_s = release_s
        self._from = job.nodes
        self._decided_ns = 0
        self._said = set()
        self._is_told = False
        job.generation += 1
        job.to, job.is_resizing = to, True

    def run(self):
        """Until it is done, or withdrawn; the job's own fields are right afterwards."""
        job = self._job
        self._decided_ns = self._tell("decided")
        try:
            if self._to < self._from:
                self._shrink()
            else:
                self._grow()
        except (Refused, OSError) as error:
            if job.nodes == self._to:
                telling.note(f"job {job.number} has its {job.nodes} nodes, but could not be told: {error}")
            else:
                self._withdraw(error)
        finally:
            job.to = job.nodes
            job.resized_s = time.monotonic()
            job.is_resizing = False
            self._heard.poke()

    def _shrink(self):
        job = self._job
        keep = job.names[: self._to]
        self._tell_job(self._to, keep)
        self._wait_for_job()
        if job.is_over:
            raise Refused("the job is over")
        # Whoever gets a node next may have it before we know that it is free.
        asked_ns = telling.now()
        self._brought_about(lambda: self._slurm.keep(job.id, keep))
        job.tell_allocation(job.nodes, asked_ns)

    def _grow(self):
        job = self._job
        done = False
        try:
            cluster = self._cluster
            but = [*cluster.others, *cluster.before(job.names[0])]
            helper = self._slurm.helper(job.seen, self._to - self._from, cluster.helpers, but, FREE_S)
            self._brought_about(lambda: self._slurm.give_up(helper))
            done = True
            job.tell_allocation(job.nodes, telling.now())
        finally:
            if not done:
                self._drop_helpers()
        self._tell_job(job.nodes, job.names)
        self._wait_for_job()

    def _brought_about(self, act):
        """Ask Slurm for it, and look whether it is so; again while the controller is away."""
        job, deadline = self._job, time.monotonic() + AWAY_S
        while True:
            try:
                act()
                seen = self._slurm.job(job.id)
                break
            except Away:
                if time.monotonic() > deadline:
                    raise
                time.sleep(AGAIN_S)
            # It may have been done though nobody told us.
            try:
                seen = self._slurm.job(job.id)
                if seen.nodes == self._to or not seen.is_running:
                    break
            except Away:
                continue
        if not seen.is_running:
            raise Refused(f"the job is {seen.state}")
        job.names = self._slurm.nodes_of(seen)
        job.nodes = seen.nodes
        if seen.nodes != self._to:
            # What it has, it is told.
            self._is_told = True
            job.tell_allocation(job.nodes, telling.now())
            raise Refused(f"Slurm did not say no, and the job has {seen.nodes} nodes")
        self._tell("granted")
        job.resized_at.append(seen.resized_at)

    def _tell_job(self, nodes, names):
        job = self._job
        written_ns = job.tell(nodes, names)
        self._is_told = True
        self._tell("written", ns=written_ns)
        # One that did not register may be ended by the signal: it has the file.
        if answers.read(job.answer) is None:
            self._tell("signalled", processes=0)
            return
        asked_ns = self._patiently(lambda: self._slurm.signal(job.id))
        self._tell("signalled", ns=asked_ns, processes=1)

    def _patiently(self, act):
        """Ask Slurm for it, again while the controller is away; returns when the time was that it was heard."""
        deadline = time.monotonic() + AWAY_S
        while True:
            asked_ns = telling.now()
            try:
                act()
                return asked_ns
            except Away:
                if time.monotonic() > deadline or self._job.is_over:
                    raise
            time.sleep(AGAIN_S)

    def _wait_for_job(self):
        applied = self._heard.wait(lambda: self._job.is_over or self._has_applied(), self._release_s)
        if not applied:
            self._tell("overdue")

    def _has_applied(self):
        said = answers.read(self._job.answer)
        if said is None:
            return False
        for stage in ("acknowledged", "applied"):
            if stage not in self._said and said[stage] and said[stage][0] == self._job.generation:
                self._said.add(stage)
                self._tell(stage, ns=self._job.on_our_clock(said[stage][1], self._decided_ns), by="job")
                if stage == "applied":
                    self._tell_cost(said["cost"])
        return "applied" in self._said

    def _tell_cost(self, cost):
        if cost and cost[0] == self._job.generation:
            _, lost_units, lost_ns, paused_ns = cost
            telling.answer(
                "cost",
                job=self._job.number,
                generation=self._job.generation,
                lost_units=lost_units,
                lost_s=lost_ns / 1e9,
                paused_s=paused_ns / 1e9,
            )

    def _withdraw(self, error):
        job = self._job
        telling.note(f"job {job.number}, resize {job.generation} was withdrawn: {error}")
        self._tell("withdrawn")
        if not self._is_told or job.is_over:
            return
        # It was told of an allocation that it does not have.
        job.generation += 1
        try:
            job.tell(job.nodes, job.names)
            if answers.read(job.answer) is not None:
                self._slurm.signal(job.id)
        except (Refused, OSError) as again:
            telling.note(f"job {job.number} could not be told that it keeps its {job.nodes} nodes: {again}")

    def _drop_helpers(self):
        try:
            self._slurm.cancel_helpers(self._cluster.helpers, self._job.id)
        except Refused as refused:
            telling.note(f"a helper of job {self._job.number} is cancelled later: {refused}")

    def _tell(self, what, ns=None, **fields):
        ns = telling.now() if ns is None else ns
        telling.answer(
            "resize",
            job=self._job.number,
            generation=self._job.generation,
            what=what,
            ns=ns,
            cpus_from=self._from,
            cpus_to=self._to,
            **fields,
        )
        return ns
