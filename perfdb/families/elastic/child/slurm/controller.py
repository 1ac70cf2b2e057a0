"""The jobs of a run at Slurm, from the first arrival to the last end: Slurm starts them, and this resizes them.

Who is to be resized is what mini-slurm's policy says, a node being what a CPU is there. Its starts are left to Slurm.
"""

import os
import shlex
import sys
import threading
import time

import commands
import telling
from held import Held
from resizing import Resize

from perfdb.minislurm.policy import cluster as known
from perfdb.minislurm.policy.decide import decide

HERE = os.path.dirname(os.path.abspath(__file__))
_ON_NODE = os.path.join(HERE, "on_node.py")
_WORKER = os.path.join(os.path.dirname(HERE), "worker.py")
# Slurm tells nobody of a job that ended, so it is asked.
LOOK_S = 0.2
TELL_EVERY_S = 1.0
# Slurm orders by its own priority, which an ordinary user can only lower.
_NICE = 10_000


class Controller:
    """Runs a plan (see `plan.py`) on a `Cluster`; what jobs say is heard by `heard`, their files are in `folder`."""

    def __init__(self, plan, cluster, heard, folder):
        self._plan, self._cluster, self._slurm = plan, cluster, cluster.slurm
        self._heard, self._folder = heard, folder
        self.jobs = [Held(entry, folder) for entry in plan["mix"]]
        self._rules = known.Rules(plan["elastic"], plan["threshold_percent"], plan["cooldown_s"], plan["release_s"])
        self._began_s = self._told_s = 0.0
        self._arrived = 0
        self._is_away = False
        self._threads = []

    def run(self):
        """Returns whether all jobs were over in time.

        Raises:
            Refused: Slurm would not take a job, or does not let us ask.
        """
        self._begin()
        while True:
            count = self._heard.count
            try:
                self._arrive()
                self._look()
                self._is_away = False
            except commands.Away as away:
                # Its jobs go on without it; what it does not know in time is told by our own patience.
                if not self._is_away:
                    telling.note(f"Slurm's controller is away: {away}")
                self._is_away = True
            if self._plan["elastic"] and not self._is_away:
                self._resize()
            now = time.monotonic()
            self._progress(now)
            waiting = self.jobs[self._arrived :]
            if not waiting and all(job.is_over and not job.is_resizing for job in self.jobs):
                return True
            if now - self._began_s > self.jobs[-1].arrival_s + self._plan["patience_s"]:
                return False
            next_s = self._began_s + waiting[0].arrival_s - now if waiting else LOOK_S
            self._heard.wait_beyond(count, min(LOOK_S, next_s))

    def close(self, patience_s):
        """Tell of jobs that were ended before they were over by themselves; no resize is begun any more.

        Returns:
            Whether those under way ended within `patience_s` seconds.
        """
        for job in self.jobs:
            if job.id is not None and not job.is_over:
                self._ended(job, "CANCELLED")
        self._heard.poke()
        deadline = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _begin(self):
        plan, ns = self._plan, telling.now()
        self._began_s = self._told_s = ns / 1e9
        telling.answer(
            "begin",
            target="slurm",
            arm=plan["arm"],
            mix=plan["mix_sha256"],
            jobs=len(self.jobs),
            cpus=plan["cpus"],
            real_cpus=self._cluster.size,
            unit="node",
            enforcement=self._slurm.enforcement(),
            overcommit=False,
            version=self._slurm.version(),
            ns=ns,
        )

    def _arrive(self):
        """Submit those whose time has come."""
        while self._arrived < len(self.jobs):
            job = self.jobs[self._arrived]
            if time.monotonic() < self._began_s + job.arrival_s:
                return
            if not job.is_arriving:
                job.is_arriving = True
                telling.answer("job", job=job.number, what="arrived", ns=telling.now())
                if job.is_elastic:
                    job.tell(job.asked, [])
                job.id = self._submit(job)
            else:
                # The controller was away when it was submitted, and may have taken it all the same.
                states = self._slurm.states(self._cluster.name)
                known_ids = [id for id, (_, comment) in states.items() if comment == str(job.number)]
                job.id = known_ids[0] if known_ids else self._submit(job)
            self._arrived += 1
            telling.answer("job", job=job.number, what="submitted", ns=telling.now())

    def _submit(self, job):
        plan = self._plan
        highest = max(each.priority for each in self.jobs)
        argv = [
            "--job-name=" + self._cluster.name,
            f"--comment={job.number}",
            f"--nodes={job.asked}",
            "--exclusive",
            "--no-requeue",
            f"--nice={_NICE * (highest - job.priority)}",
            "--chdir=" + self._folder,
            "--output=" + job.path("log"),
            *(["--exclude=" + ",".join(self._cluster.others)] if self._cluster.others else []),
            *self._begins_on(job),
        ]
        work = [str(job.units), repr(plan["unit_s"]), plan["work"], plan["on_shrink"], job.path("told")]
        program = [sys.executable, _ON_NODE, self._folder, str(job.number), _WORKER, *work]
        variables = [f"{name}={value}" for name, value in self._variables(job).items()]
        wrapped = " ".join(shlex.quote(word) for word in ["env", *variables, *program])
        return self._slurm.submit(*argv, "--wrap=exec " + wrapped)

    def _begins_on(self, job):
        """The options that have elastic jobs begin on the first nodes, one on each: a job grows to later ones alone."""
        elastic = [each.number for each in self.jobs if each.is_elastic]
        if not job.is_elastic or job.asked > 1:
            return []
        nodes = self._cluster.nodes
        return ["--nodelist=" + nodes[elastic.index(job.number) % len(nodes)]]

    def _variables(self, job):
        found = {"MINI_SLURM_CPUS": job.asked, "MINI_SLURM_HINTS": self._heard.hints}
        if job.is_elastic:
            found.update(
                MINI_SLURM_ELASTIC=1,
                MINI_SLURM_CONTROL_FILE=job.control,
                MINI_SLURM_ANSWER_FILE=job.answer,
                MINI_SLURM_CURRENT_CPUS=job.asked,
                MINI_SLURM_MIN_CPUS=job.min_nodes,
                MINI_SLURM_MAX_CPUS=job.max_nodes,
            )
        return found

    def _look(self):
        """See which jobs began and which are over."""
        left = [job for job in self.jobs[: self._arrived] if not job.is_over]
        if not left:
            return
        before_ns = telling.now()
        states = self._slurm.states(self._cluster.name)
        for job in left:
            state = states.get(job.id, ("GONE", ""))[0]
            if not job.is_running and state != "PENDING":
                self._started(job)
            if state in ("COMPLETING", "RUNNING", "PENDING"):
                job.seen_ns = before_ns
            elif not commands.is_active(state) or state == "GONE":
                self._ended(job, state)

    def _started(self, job):
        begun = job.begun()
        if begun is None:
            return
        job.shares_clock = begun["boot"] == telling.boot()
        seen = self._slurm.job(job.id)
        job.seen, job.names = seen, self._slurm.nodes_of(seen)
        job.nodes = job.to = job.asked
        job.started_s = time.monotonic()
        ns = job.on_our_clock(begun["ns"])
        telling.answer("job", job=job.number, what="allocated", ns=ns, cpus=job.nodes)
        telling.answer("job", job=job.number, what="started", ns=ns)
        job.tell_allocation(job.nodes, ns)

    def _ended(self, job, state):
        over = job.over()
        # Without its own word: its nodes may be another's since shortly after it was last seen.
        ns = job.on_our_clock(over["ns"]) if over else job.seen_ns or telling.now()
        job.is_over = True
        cpu_s = over.get("cpu_s") if over else None
        telling.answer("job", job=job.number, what="ended", ns=ns, state=state, cpu_s=cpu_s)
        if job.nodes:
            job.tell_allocation(0, ns)
        if job.resized_at:
            at = " ".join(map(str, job.resized_at))
            telling.note(f"by Slurm's own clock, in seconds since 1970, job {job.number} was resized at {at}")
        work = job.work()
        if work:
            telling.answer("work", job=job.number, **work)
        if job.is_elastic:
            job.tell(job.nodes or job.asked, job.names, "COMPLETED" if state == "COMPLETED" else "FAILED")

    def _resize(self):
        for action in decide(self._now(), self._rules):
            job = next(job for job in self.jobs if job.number == action.id)
            if isinstance(action, known.Resize) and not job.is_resizing and job.is_running:
                resize = Resize(self._cluster, self._heard, job, action.cpus, self._plan["release_s"])
                self._threads = [thread for thread in self._threads if thread.is_alive()]
                self._threads.append(threading.Thread(target=resize.run, daemon=True))
                self._threads[-1].start()

    def _now(self):
        """As the policy sees it."""
        arrived = [job for job in self.jobs[: self._arrived] if not job.is_over]
        waiting = [
            known.Waiting(job.number, job.priority, job.asked, job.min_nodes, job.max_nodes, 0, None, job.is_elastic)
            for job in arrived
            if not job.is_running
        ]
        now_s = time.monotonic()
        running = [
            known.Running(
                job.number,
                job.priority,
                max(job.nodes, job.to),
                job.to,
                job.min_nodes,
                self._most(job),
                0,
                job.is_elastic,
                None,
                job.resized_s,
                not self._may_resize(job, now_s),
            )
            for job in arrived
            if job.is_running
        ]
        return known.Cluster(self._plan["cpus"], 0, sorted(waiting, key=lambda job: job.order), running, now_s)

    def _most(self, job):
        """How many nodes it can come to have now, given where it runs."""
        taken = {name for each in self.jobs if each.is_running for name in each.names}
        before = self._cluster.before(job.names[0]) if job.names else []
        free = len(set(self._cluster.nodes) - taken - set(before))
        return max(job.nodes, job.to, min(job.max_nodes, job.nodes + free))

    def _may_resize(self, job, now_s):
        """Whether it listens by now; one that never says so reads its file now and then."""
        return os.path.exists(job.answer) or now_s > job.started_s + self._plan["release_s"]

    def _progress(self, now_s):
        if now_s - self._told_s < TELL_EVERY_S:
            return
        self._told_s = now_s
        running = [job for job in self.jobs if job.is_running]
        telling.answer(
            "progress",
            at_s=now_s - self._began_s,
            arrived=self._arrived,
            running=len(running),
            ended=sum(job.is_over for job in self.jobs),
            promised=sum(job.nodes for job in running),
        )
