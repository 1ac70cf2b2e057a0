"""One arm on a mini-slurm of its own: a scheduler is started, gets the jobs as they arrive, and is ended when they are over.

Runs in perfdb's own Python. What to do is in PERFDB_ELASTIC_PLAN, a folder for it all in PERFDB_RUN_DIR. See `events.py`.
"""

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import history
import machine
from scheduler import Scheduler, Trouble
from telling import GIVEN, answer, one_line

del sys.path[0]
from perfdb import __version__
from perfdb.errors import PerfdbError
from perfdb.minislurm import client
from perfdb.minislurm.machine import here
from perfdb.minislurm.places import Places
from perfdb.minislurm.request import Request
from perfdb.minislurm.store.reading import Reader

_WORKER = os.path.join(os.path.dirname(HERE), "worker.py")
_PRIVATE = ("PERFDB_ELASTIC_PLAN", "PERFDB_HOST_KEY")
_TELL_EVERY_S = 1.0
_CANCEL_S = 30.0


class Stopped(BaseException):
    """We were told to end."""


class Arm:
    """The jobs of one arm, from the first arrival to the last end."""

    def __init__(self, plan, places, folder):
        self._plan, self._places, self._folder = plan, places, folder
        self._env = {name: value for name, value in os.environ.items() if name not in _PRIVATE}
        self.ids = {}
        self._ended = set()
        self._zero = self._told_s = 0.0

    def begin(self):
        """Say what there is; arrivals count from here."""
        with Reader(self._places) as reader:
            offer = reader.offer()
        zero_ns = time.monotonic_ns()
        self._zero = self._told_s = zero_ns / 1e9
        answer(
            "begin",
            target="mini-slurm",
            arm=self._plan["arm"],
            mix=self._plan["mix_sha256"],
            jobs=len(self._plan["mix"]),
            cpus=offer.cpus,
            real_cpus=len(here().cpu_ids),
            unit="cpu",
            enforcement=offer.enforcement,
            overcommit=offer.overcommit,
            version=__version__,
            ns=zero_ns,
        )

    def run(self, scheduler):
        """Returns whether all jobs were over in time."""
        for job in self._plan["mix"]:
            self._until(self._zero + job["arrival_s"], scheduler)
            answer("job", job=job["job"], what="arrived", ns=time.monotonic_ns())
            self.ids[job["job"]] = client.submit(self._places, self._request(job)).ids[0]
        deadline = time.monotonic() + self._plan["patience_s"]
        while len(self._ended) < len(self.ids):
            if time.monotonic() > deadline:
                return False
            self._wait(min(deadline, time.monotonic() + _TELL_EVERY_S), scheduler)
        return True

    def cancel(self):
        """End what is left of it."""
        left = [id for id in self.ids.values() if id not in self._ended]
        if left:
            client.cancel(self._places, left)
            client.wait(self._places, left, _CANCEL_S, lambda ended: self._ended.add(ended.id))

    def told_of(self, number):
        """Where that job writes what happened to it."""
        return os.path.join(self._folder, f"job-{number}.told")

    def _until(self, instant, scheduler):
        while True:
            left_s = instant - time.monotonic()
            if left_s <= 0:
                return
            time.sleep(min(left_s, _TELL_EVERY_S))
            self._progress(scheduler)

    def _wait(self, until, scheduler):
        left = [id for id in self.ids.values() if id not in self._ended]
        client.wait(self._places, left, max(0.0, until - time.monotonic()), lambda ended: self._ended.add(ended.id))
        self._progress(scheduler)

    def _progress(self, scheduler):
        now = time.monotonic()
        if now - self._told_s < _TELL_EVERY_S:
            return
        self._told_s = now
        scheduler.see_that_it_runs()
        with Reader(self._places) as reader:
            stats = reader.stats()
        running = stats.counts["RUNNING"]
        ended = len(self.ids) - running - stats.counts["PENDING"]
        answer(
            "progress",
            at_s=now - self._zero,
            arrived=len(self.ids),
            running=running,
            ended=max(0, ended),
            promised=stats.cpus_promised,
        )

    def _request(self, job):
        plan = self._plan
        what = [str(job["units"]), repr(plan["unit_s"]), plan["work"], plan["on_shrink"], self.told_of(job["job"])]
        return Request(
            argv=(sys.executable, _WORKER, *what),
            env=self._env,
            cwd=self._folder,
            name=f"{job['of']}-{job['job']}",
            cpus=job["cpus"],
            min_cpus=job["min_cpus"],
            max_cpus=job["max_cpus"],
            # A worker and its processes, most of whose pages are shared.
            mem_mb=64 + 8 * job["max_cpus"],
            priority=job["priority"],
            is_elastic=job["of"] == "elastic",
        )


def main():
    """Returns the exit code."""
    plan = json.loads(os.environ["PERFDB_ELASTIC_PLAN"])
    folder = os.environ["PERFDB_RUN_DIR"]
    home = Path(folder) / "home"
    home.mkdir(mode=0o700)
    places = Places(home)
    machine.adopt_orphans()
    watch = machine.Watch()
    arm = Arm(plan, places, folder)
    scheduler = None
    outcome, trouble = "failed", None
    try:
        scheduler = Scheduler(places, plan, os.path.join(folder, "scheduler.log"))
        scheduler.wait_until_up()
        arm.begin()
        outcome = "all" if arm.run(scheduler) else "timeout"
    except Stopped:
        outcome = "stopped"
    except (Trouble, PerfdbError) as error:
        trouble = one_line(error)
    except Exception as error:  # noqa: BLE001 (told, and what was seen until then as well)
        traceback.print_exc()
        trouble = one_line(error)
    _end(places, arm, scheduler, watch, outcome)
    answer("end", outcome=outcome, trouble=trouble, given=dict(GIVEN))
    return 0 if outcome == "all" else 1


def _end(places, arm, scheduler, watch, outcome):
    """Leave nothing behind, and tell what there is to tell, whatever goes wrong."""
    try:
        if scheduler is not None:
            if outcome != "all":
                arm.cancel()
            scheduler.end()
        machine.reap(_CANCEL_S)
        if arm.ids:
            with Reader(places) as reader:
                history.tell(reader, arm.ids, arm.told_of)
                jobs = [reader.job(id) for id in arm.ids.values()]
            answer("machine", **watch.told(sum(job.cpu_s or 0.0 for job in jobs if job is not None)))
    except Exception:  # noqa: BLE001 (the end is told)
        traceback.print_exc()


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
