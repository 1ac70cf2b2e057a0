"""One arm on the Slurm that this host submits to: jobs are submitted as they arrive, resized while they run, and all ended.

Runs in perfdb's own Python. What to do is in PERFDB_ELASTIC_PLAN, a folder for it all in PERFDB_RUN_DIR. See `events.py`.
"""

import json
import os
import signal
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import guard
import telling
from answers import Answers
from cluster import Cluster, Unfit, end_patiently
from commands import Refused, Slurm
from controller import Controller

del sys.path[0]

# Time to end what is left; the guard goes on where it was not enough.
END_S = 20.0


class Stopped(BaseException):
    """We were told to end."""


def main():
    """Returns the exit code."""
    plan = json.loads(os.environ["PERFDB_ELASTIC_PLAN"])
    folder = os.path.join(os.environ["PERFDB_RUN_DIR"], "jobs")
    os.mkdir(folder, 0o700)
    outcome, trouble = "failed", None
    cluster = controller = watching = None
    try:
        cluster = Cluster(Slurm(folder), plan["cpus"])
        watching = watch_over(cluster)
        controller = Controller(plan, cluster, Answers(folder), folder)
        outcome = "all" if controller.run() else "timeout"
    except Stopped:
        outcome = "stopped"
    except (Refused, Unfit, OSError) as error:
        trouble = str(error)
    except Exception as error:  # noqa: BLE001 (told, and what was seen until then as well)
        traceback.print_exc()
        trouble = str(error)
    if watching is not None:
        # What is expanded ends first, so that no helper of it gets through; those that did end with the second look.
        end_patiently(cluster, END_S)
        if (controller is None or controller.close(END_S)) and end_patiently(cluster, END_S):
            watching.communicate(guard.DONE)
    telling.end(outcome, trouble)
    return 0 if outcome == "all" else 1


def watch_over(cluster):
    """Start what ends the jobs should we be killed."""
    return subprocess.Popen(
        [sys.executable, "-I", os.path.join(HERE, "guard.py"), cluster.helpers, cluster.name],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


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
