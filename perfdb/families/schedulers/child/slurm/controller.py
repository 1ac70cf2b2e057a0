"""The jobs of the list at Slurm, from the first arrival to the last end, batch after batch."""

import time
from collections import Counter

import telling
import times
from commands import Seen
from script import minutes

# A log is read so often, Slurm asked so often, and perfdb told.
_READ_S, _ASK_S, _TELL_S = 0.1, 1.0, 1.0
# What is left of a batch whose time is over has so long to end before the next one.
_END_S = 15.0
_SETTINGS = (
    "SchedulerType",
    "SchedulerParameters",
    "SelectType",
    "SelectTypeParameters",
    "PriorityType",
    "PreemptType",
    "PreemptMode",
    "OverTimeLimit",
    "SchedulerTimeSlice",
    "TaskPlugin",
)
_LONGEST = 200


class Controller:
    """Runs a plan on a `Cluster`. jobs: the list. scripts: what they are at Slurm (`script.Scripts`)."""

    def __init__(self, plan, jobs, cluster, scripts):
        self._plan, self._jobs, self._cluster, self._scripts = plan, jobs, cluster, scripts
        self._slurm = cluster.slurm
        self._times = (
            times.ByLog(cluster.places, cluster.log_from)
            if cluster.has_log
            else times.BySlurm(lambda: self._slurm.jobs(cluster.name))
        )
        self._batch = 0
        # Of the batch under way: by job, what Slurm calls it; jobs that were told of.
        self._ids = {}
        self._told = set()
        self._began_s = self._zero_s = 0.0
        self._offset_ns = 0
        self._due = Counter()
        self._has_told_why = False

    def run(self):
        """Returns whether all jobs of every batch were over in time.

        Raises:
            Refused: Slurm would not take a job, or does not answer.
        """
        self._begin()
        in_time = True
        for batch in range(1, self._plan.batches + 1):
            self._batch = batch
            self._ids, self._told = {}, set()
            if batch > 1:
                telling.answer("batch", batch=batch, ns=self.now())
                self._zero_s = time.monotonic()
            if self._follow():
                continue
            in_time = False
            self.tell_the_rest()
            if not self._cluster.end_jobs(_END_S):
                break
        return in_time

    def now(self):
        """Nanoseconds since 1970 on the scheduler's clock."""
        return telling.now() + self._offset_ns

    def tell_the_rest(self):
        """Every job of the batch that was not told of yet, as it stands now: nobody will see its end."""
        self._times.look()
        seen = self._slurm.jobs(self._cluster.name)
        for job in self._jobs if self._batch else ():
            if job.job not in self._told:
                self._tell(job, seen)

    def _begin(self):
        before, clock = self._cluster.states(), self._cluster.clock()
        described = self._slurm.settings()
        settings = {name: described[name][:_LONGEST] for name in _SETTINGS if name in described}
        settings["perfdb limit"] = "whole minutes, rounded up"
        if self._cluster.preempt != "off":
            settings["perfdb partition"] = "low for users with even numbers, high for those with odd ones"
        told = {"arm": self._plan.arm, "workload": self._plan.workload.sha256, "jobs": len(self._jobs)}
        told |= {"nodes": len(self._cluster.nodes), "fresh": self._cluster.fresh, "version": self._slurm.version()}
        self._offset_ns = round(clock["offset_s"] * 1e9)
        self._began_s = self._zero_s = time.monotonic()
        telling.answer("begin", **told, settings=settings, clock=clock, ns=self.now())
        telling.answer("nodes", when="before", states=before)
        longer = sum(60 * minutes(job) > job.limit_s for job in self._jobs)
        if longer:
            telling.note(
                f"Slurm counts limits in whole minutes: {longer} of {len(self._jobs)} jobs have a longer one there than in the "
                "list, and what is planned with limits, as backfill is, is planned with the longer ones"
            )

    def _follow(self):
        """Submit the batch, job by job as they arrive, and see them end; returns whether all did in time."""
        left = list(self._jobs)
        deadline_s = self._zero_s + left[-1].arrival_s + self._plan.patience_s
        while True:
            while left and time.monotonic() >= self._zero_s + left[0].arrival_s:
                job = left.pop(0)
                self._ids[job.job] = self._slurm.submit(*self._scripts.words(job, self._batch))
                self._every("tell", _TELL_S, self._progress)
            self._every("look", _READ_S if self._cluster.has_log else _ASK_S, self._times.look)
            self._every("end", _ASK_S, self._tell_ended)
            self._every("tell", _TELL_S, self._progress)
            if not left and len(self._told) == len(self._jobs):
                return True
            now_s = time.monotonic()
            if now_s > deadline_s:
                return False
            next_s = self._zero_s + left[0].arrival_s - now_s if left else _READ_S
            time.sleep(max(0.0, min(_READ_S, next_s)))

    def _every(self, what, seconds, do):
        now_s = time.monotonic()
        if now_s >= self._due[what]:
            self._due[what] = now_s + seconds
            do()

    def _tell_ended(self):
        """Tell of the jobs that are over by now. One that is begun anew was over, and is not."""
        over = [job for job in self._jobs if job.job not in self._told and self._is_over(job)]
        if not over:
            return
        seen = self._slurm.jobs(self._cluster.name)
        for job in over:
            now = seen.get(self._ids[job.job])
            if now is None or now.has_left:
                self._tell(job, seen)

    def _is_over(self, job):
        return job.job in self._ids and self._times.is_over(self._ids[job.job])

    def _tell(self, job, seen):
        self._told.add(job.job)
        id = self._ids.get(job.job)
        if id is None:
            telling.answer("job", job=job.job, batch=self._batch, state="")
            return
        now = seen.get(id, Seen())
        began, ended, at_limit = times.inside(self._scripts.stamps(job, self._batch), waits=now.state == "PENDING")
        telling.answer(
            "job",
            job=job.job,
            batch=self._batch,
            **self._times.instants(id, now),
            inside_began=began,
            inside_ended=ended,
            # It kept its limit itself, to the second.
            state="TIMEOUT" if at_limit and now.is_over else now.state,
            node_list=self._numbers(now),
        )
        if now.state == "FAILED" and not at_limit:
            self._tell_why(job)

    def _tell_why(self, job):
        """What the job said last, of the first one that failed."""
        if self._has_told_why:
            return
        self._has_told_why = True
        try:
            with open(self._scripts.output(job, self._batch), "rb") as file:
                said = file.read()[-2000:].decode("utf-8", "replace").strip().rpartition("\n")[2]
        except OSError:
            said = ""
        telling.note(f"job {job.job} failed; it said last: {said or 'nothing'}")

    def _numbers(self, seen):
        """Its nodes by their numbers, as ranges."""
        order = self._cluster.order
        mine = sorted(order.index(name) for name in self._slurm.hosts(seen.node_list) if name in order)
        ranges = []
        for number in mine:
            if ranges and number == ranges[-1][1] + 1:
                ranges[-1][1] = number
            else:
                ranges.append([number, number])
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)

    def _progress(self):
        ids = list(self._ids.values())
        ended = sum(map(self._times.is_over, ids))
        running = sum(self._times.has_begun(id) and not self._times.is_over(id) for id in ids)
        at_s = time.monotonic() - self._began_s
        telling.answer("progress", at_s=at_s, submitted=len(ids), running=running, ended=ended)
