"""`one_job.py CHILD {"to": [1, 4], "release_s": 5, …}`: a job of Slurm's that is resized as it is told, then ended.

`program`: the job's, as shell; else it is the worker, with so many `units` of `unit_s`. `nodes`: what it starts with. `go`: a file
to wait for before the first resize. `then`: `wait` for a file `go_on` in the run folder after the last.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import guard
import program
import telling
from answers import Answers
from cluster import Cluster, end_patiently
from commands import Slurm
from controller import Controller
from resizing import Resize


class ByHand(Controller):
    """Starts its job, and leaves the resizes to us."""

    def __init__(self, *arguments, argv):
        super().__init__(*arguments)
        self.argv = argv

    def start(self, is_ready):
        self._begin()
        while not (self.jobs[0].is_running and is_ready(self.jobs[0])):
            self._arrive()
            self._look()
            time.sleep(0.05)

    def look(self):
        self._look()

    def _submit(self, job):
        if not self.argv:
            return super()._submit(job)
        # The file that a job's start leaves is written here: its program is none of ours.
        name = "--job-name=" + self._cluster.name
        id = self._slurm.submit(
            name, "--exclusive", f"--nodes={job.asked}", "--output=/dev/null", "--wrap=" + self.argv
        )
        Path(job.path("node")).write_text(json.dumps({"id": id, "ns": telling.now(), "boot": telling.boot()}))
        return id


def main(what):
    folder = f"{os.environ['PERFDB_RUN_DIR']}/jobs"
    Path(folder).mkdir()
    entry = {"job": 1, "of": "elastic", "arrival_s": 0.0, "min_cpus": 1, "max_cpus": 4, "priority": 5}
    plan = {
        "arm": "on",
        "mix": [dict(entry, cpus=what.get("nodes", 1), units=what.get("units", 100_000))],
        "mix_sha256": "0" * 64,
        "cpus": 4,
        "elastic": True,
        "threshold_percent": 100.0,
        "cooldown_s": 0.0,
        "release_s": what.get("release_s", 20.0),
        "unit_s": what.get("unit_s", 0.02),
        "work": "sleep",
        "on_shrink": "finish",
        "patience_s": 60.0,
    }
    cluster = Cluster(Slurm(folder), plan["cpus"])
    watching = program.watch_over(cluster)
    argv = what.get("program", "")
    it = ByHand(plan, cluster, Answers(folder), folder, argv=argv)
    it.start(lambda job: argv or Path(job.answer).exists())
    telling.note(f"ready {it.jobs[0].id}")
    while what.get("go") and not Path(what["go"]).exists():
        time.sleep(0.02)
    for to in what["to"]:
        resize = threading.Thread(target=Resize(cluster, it._heard, it.jobs[0], to, plan["release_s"]).run)
        resize.start()
        while resize.is_alive():
            it.look()
            resize.join(0.1)
    it.look()
    while what.get("then") == "wait" and not Path(os.environ["PERFDB_RUN_DIR"], "go_on").exists():
        time.sleep(0.02)
    telling.note(f"state {cluster.slurm.job(it.jobs[0].id).state}")
    if end_patiently(cluster, 20):
        watching.communicate(guard.DONE)
    it.close(20)
    telling.end("all", None)


if __name__ == "__main__":
    main(json.loads(sys.argv[2]))
