"""One arm on a real Slurm: the jobs of the list are submitted as they arrive, and seen until they end.

Runs in perfdb's own Python. What to do is in PERFDB_SCHEDULERS_PLAN, a folder for it all in PERFDB_RUN_DIR. See `events.py`.
"""

import os
import signal
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import artifacts
import cluster as clusters
import telling
from cluster import Unfit
from commands import Refused
from controller import Controller
from script import Missing, Scripts

del sys.path[:2]
from perfdb.errors import PerfdbError
from perfdb.families.schedulers.arms import parse
from perfdb.families.schedulers.plan import VARIABLE, Plan
from perfdb.families.schedulers.workload.load import jobs_of

# Time to end what is left; the guard goes on where it was not enough.
_END_S = 20.0


class Stopped(BaseException):
    """We were told to end."""


def main():
    """Returns the exit code."""
    plan = Plan.model_validate_json(os.environ[VARIABLE])
    run_dir = os.environ["PERFDB_RUN_DIR"]
    outcome, trouble, left = "failed", None, ""
    cluster = controller = None
    try:
        jobs = jobs_of(plan.workload)
        folder = os.path.join(run_dir, "jobs")
        os.mkdir(folder, 0o700)
        (arm,) = parse(plan.arm)
        cluster = clusters.running(arm.name, plan, folder) if arm.name else clusters.own(plan, arm.options, folder)
        controller = Controller(plan, jobs, cluster, Scripts(cluster, plan.job, folder))
        outcome = "all" if controller.run() else "timeout"
    except Stopped:
        outcome = "stopped"
    except (Refused, Unfit, Missing, PerfdbError, OSError, ValueError) as error:
        trouble = str(error)
    except Exception as error:  # noqa: BLE001 (told, and what was seen until then as well)
        traceback.print_exc()
        trouble = str(error)
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    if cluster is not None:
        if controller is not None:
            _tell_the_last(cluster, controller, run_dir, outcome)
        left = cluster.take_down(_END_S)
    ns = telling.now() if controller is None else controller.now()
    telling.end(outcome, trouble, left, ns)
    return 0 if outcome == "all" else 1


def _tell_the_last(cluster, controller, run_dir, outcome):
    """Whatever there is to tell still, whatever goes wrong."""
    try:
        controller.tell_the_rest()
        if outcome != "stopped":
            cluster.end_jobs(_END_S)
            telling.answer("nodes", when="after", states=cluster.states())
            artifacts.keep(cluster, os.path.join(run_dir, "artifacts"))
    except (Refused, OSError) as error:
        telling.note(f"what the cluster was like in the end is not known: {error}")


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
