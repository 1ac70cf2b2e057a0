"""One arm on a mini-slurm of its own, whose CPUs stand for nodes: it gets the jobs as they arrive, and is ended after the last.

Runs in perfdb's own Python. What to do is in PERFDB_SCHEDULERS_PLAN, a folder for it all in PERFDB_RUN_DIR. See `events.py`.
"""

import os
import signal
import sys
import time
import traceback
from pathlib import Path

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import telling
from scheduler import Scheduler, Trouble

del sys.path[:2]
from perfdb import __version__
from perfdb.errors import PerfdbError
from perfdb.families.schedulers.plan import VARIABLE, Plan
from perfdb.families.schedulers.workload.load import jobs_of
from perfdb.minislurm import client
from perfdb.minislurm.machine import here
from perfdb.minislurm.places import Places
from perfdb.minislurm.request import Request
from perfdb.minislurm.store.reading import Reader

_INSIDE = os.path.join(os.path.dirname(HERE), "inside.py")
_PRIVATE = (VARIABLE, "PERFDB_HOST_KEY")
# A job's limit is the scheduler's affair.
_NO_LIMIT_S = "1e9"
_TELL_EVERY_S = 1.0
_CANCEL_S = 30.0
# Of a Python that sleeps or counts; a job is ended above what it asks for.
_PROCESS_MB = 48


class Stopped(BaseException):
    """We were told to end."""


class Arm:
    """The jobs of one arm, from the first arrival to the last end."""

    def __init__(self, plan, jobs, places, folder):
        self._plan, self._jobs, self._places, self._folder = plan, jobs, places, folder
        self._env = {name: value for name, value in os.environ.items() if name not in _PRIVATE}
        # From a batch and a job to the scheduler's number of it.
        self._ids = {}
        self._ended = set()
        # The scheduler counts on CLOCK_MONOTONIC; this makes it nanoseconds since 1970.
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._zero_s = self._told_s = 0.0

    def begin(self):
        """Say what there is; arrivals count from here."""
        with Reader(self._places) as reader:
            offer = reader.offer()
        telling.answer("nodes", when="before", states={"idle": offer.cpus})
        self._zero_s = self._told_s = time.monotonic()
        telling.answer(
            "begin",
            arm=self._plan.arm,
            workload=self._plan.workload.sha256,
            jobs=len(self._jobs),
            nodes=offer.cpus,
            fresh=True,
            version=__version__,
            settings={
                "cpus": str(offer.cpus),
                "overcommit": "yes" if offer.overcommit else "no",
                "enforcement": offer.enforcement,
                "elastic": "on" if offer.elastic else "off",
            },
            clock={"name": "CLOCK_MONOTONIC of this host", "resolution_s": 1e-9, "offset_s": 0.0, "uncertainty_s": 0.0},
            ns=self._wall_ns(self._zero_s),
        )

    def run(self, scheduler):
        """Returns whether all jobs were over in time."""
        for batch in range(1, self._plan.batches + 1):
            begun = self._zero_s if batch == 1 else time.monotonic()
            if batch > 1:
                telling.answer("batch", batch=batch, ns=self._wall_ns(begun))
            for job in self._jobs:
                self._until(begun + job.arrival_s, scheduler)
                self._ids[batch, job.job] = client.submit(self._places, self._request(batch, job)).ids[0]
            deadline = time.monotonic() + self._plan.patience_s
            while left := self._left():
                if time.monotonic() > deadline:
                    return False
                client.wait(self._places, left, self._next(deadline), lambda ended: self._ended.add(ended.id))
                self._progress(scheduler)
        return True

    def tell(self, until_ns):
        """What became of each job that was submitted by then; call it before any is cancelled."""
        with Reader(self._places) as reader:
            for (batch, number), id in sorted(self._ids.items()):
                found = reader.job(id)
                if found is not None:
                    telling.answer("job", job=number, batch=batch, **self._told(found, batch, number, until_ns))

    def cancel(self):
        """End what is left of it; returns what could not be ended, in words."""
        left = self._left()
        if left:
            client.cancel(self._places, left)
            client.wait(self._places, left, _CANCEL_S, lambda ended: self._ended.add(ended.id))
        return f"jobs {', '.join(map(str, left))} of {self._places.home}" if (left := self._left()) else ""

    def nodes_after(self):
        """How many CPUs nobody was promised."""
        with Reader(self._places) as reader:
            stats = reader.stats()
        promised = stats.cpus_promised
        states = {"idle": self._plan.nodes - promised, "allocated": promised}
        telling.answer("nodes", when="after", states={state: n for state, n in states.items() if n})

    def _left(self):
        return [id for id in self._ids.values() if id not in self._ended]

    def _wall_ns(self, monotonic_s):
        return self._epoch_ns + round(monotonic_s * 1e9)

    def _told(self, found, batch, number, until_ns):
        def at(ns):
            return None if ns is None or self._epoch_ns + ns > until_ns else self._epoch_ns + ns

        is_over = at(found.ended_ns) is not None
        stamps = _stamps(self._stamps(batch, number))
        return {
            "submitted": at(found.submit_ns),
            "eligible": at(found.submit_ns),
            "allocated": at(found.allocated_ns),
            "started": at(found.started_ns),
            "ended": at(found.ended_ns),
            # The scheduler gives its CPUs to others as soon as it hears of the end, and keeps one instant for both.
            "released": at(found.ended_ns),
            "inside_began": stamps.get("began"),
            "inside_ended": stamps.get("ended") if is_over else None,
            "state": found.state.value if is_over else "PENDING" if found.allocated_ns is None else "RUNNING",
            "node_list": _ranges(found.cpu_ids),
        }

    def _next(self, deadline):
        return max(0.0, min(deadline - time.monotonic(), _TELL_EVERY_S))

    def _until(self, instant, scheduler):
        while (left_s := instant - time.monotonic()) > 0:
            time.sleep(min(left_s, _TELL_EVERY_S))
            self._progress(scheduler)

    def _progress(self, scheduler):
        now = time.monotonic()
        if now - self._told_s < _TELL_EVERY_S:
            return
        self._told_s = now
        scheduler.see_that_it_runs()
        with Reader(self._places) as reader:
            counts = reader.stats().counts
        ended = len(self._ids) - counts["RUNNING"] - counts["PENDING"]
        telling.answer(
            "progress",
            at_s=now - self._zero_s,
            submitted=len(self._ids),
            running=counts["RUNNING"],
            ended=max(0, ended),
        )

    def _stamps(self, batch, number):
        return os.path.join(self._folder, f"job-{batch}-{number}.stamps")

    def _request(self, batch, job):
        what = ("burn" if self._plan.job == "burn" else "sleep", repr(job.run_s))
        python = (sys.executable, "-I", "-S", _INSIDE)
        argv = (*python, self._stamps(batch, job.job), _NO_LIMIT_S, *what)
        processes = 1
        if self._plan.job == "burn" and job.nodes > 1:
            # One process for each CPU; the first of them is the job.
            processes = job.nodes
            beside = " ".join((*map(_quoted, python), "-", _NO_LIMIT_S, *what))
            argv = ("/bin/sh", "-c", f'{f"{beside} & " * (processes - 1)}exec "$@"', "sh", *argv)
        return Request(
            argv=argv,
            env=self._env,
            cwd=self._folder,
            name=job.experiment,
            cpus=job.nodes,
            min_cpus=job.nodes,
            max_cpus=job.nodes,
            mem_mb=_PROCESS_MB * processes,
            priority=0,
            is_elastic=False,
            limit_s=job.limit_s,
        )


def _quoted(word):
    return "'" + word.replace("'", "'\\''") + "'"


def _stamps(path):
    """What the job stamped, the last time of each."""
    found = {}
    try:
        with open(path, encoding="ascii") as file:
            for line in file:
                what, _, ns = line.strip().partition(" ")
                if ns.isdigit():
                    found[what] = int(ns)
    except OSError:
        pass  # it never began
    return found


def _ranges(numbers):
    """Numbers as `0-2,5`."""
    runs = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def main():
    """Returns the exit code."""
    plan = Plan.model_validate_json(os.environ[VARIABLE])
    folder = Path(os.environ["PERFDB_RUN_DIR"])
    places = Places(folder / "home")
    places.home.mkdir(mode=0o700)
    artifacts = folder / "artifacts"
    artifacts.mkdir(exist_ok=True)
    arm = scheduler = None
    outcome, trouble = "failed", None
    try:
        arm = Arm(plan, jobs_of(plan.workload), places, str(folder))
        overcommit = plan.nodes > len(here().cpu_ids)
        scheduler = Scheduler(places, plan.nodes, overcommit, str(artifacts / "mini-slurm.log"))
        scheduler.wait_until_up()
        arm.begin()
        outcome = "all" if arm.run(scheduler) else "timeout"
    except Stopped:
        outcome = "stopped"
    except (Trouble, PerfdbError) as error:
        trouble = str(error)
    except Exception as error:  # noqa: BLE001 (told, and what was seen until then as well)
        traceback.print_exc()
        trouble = repr(error)
    until_ns = time.time_ns()
    telling.end(outcome, trouble, _end(arm, scheduler, outcome, until_ns), until_ns)
    return 0 if outcome == "all" else 1


def _end(arm, scheduler, outcome, until_ns):
    """Leave nothing behind, and tell what there is to tell, whatever goes wrong; returns what is left, in words."""
    left = ""
    try:
        if scheduler is not None:
            arm.tell(until_ns)
            left = arm.cancel() if outcome != "all" else ""
            arm.nodes_after()
    except Exception:  # noqa: BLE001 (the end is told)
        traceback.print_exc()
    finally:
        if scheduler is not None:
            scheduler.end()
    return left


def _stop(*_):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, _stop)
    code = main()
    sys.stderr.flush()
    os._exit(code)
