"""What a run's children run: `program.py FIRST COUNT` is the clients FIRST, FIRST + 1, … of the plan in PERFDB_LOAD_PLAN.

Standard library alone, any Python since 3.8 on Linux. One process is one core: of several, each is a process of its own.
What they say comes out as it arrives, in whole lines.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time

if not sys.platform.startswith("linux"):
    sys.exit("the load client runs on Linux alone: it waits with epoll")
HERE = os.path.dirname(os.path.abspath(__file__))
# histogram.py is beside us where we were packed for a node: anybody may write above that. In perfdb it is above us.
OURS = [HERE] if os.path.exists(os.path.join(HERE, "histogram.py")) else [HERE, os.path.dirname(HERE)]
sys.path[:0] = OURS
import client
import telling

del sys.path[: len(OURS)]

# Until every client is up and waits for the beginning.
START_S, START_EACH_S = 0.7, 0.3
LOOK_S = 1.0


def main(first, count):
    """Run them to their ends; the exit code is the worst of theirs."""
    plan = json.loads(os.environ["PERFDB_LOAD_PLAN"])
    if plan["begin_at"] is None:
        plan["begin_at"] = time.time() + (START_S + START_EACH_S * count if count > 1 else 0.05)
    if count == 1:
        return client.run(plan, first, os.environ["PERFDB_HOST_KEY"])
    parent = os.getppid()
    env = dict(os.environ, PERFDB_LOAD_PLAN=json.dumps(plan))
    started = [
        subprocess.Popen(
            [sys.executable, "-I", os.path.abspath(__file__), str(first + index), "1"], stdout=subprocess.PIPE, env=env
        )
        for index in range(count)
    ]

    def stop(number, frame):
        for one in started:
            one.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    readers = [threading.Thread(target=_pass_on, args=(one.stdout,)) for one in started]
    for reader in readers:
        reader.start()
    for reader in readers:
        while reader.is_alive():
            reader.join(LOOK_S)
            if os.getppid() != parent:  # whoever started us is gone, and nobody would end us
                stop(signal.SIGTERM, None)
    return max(abs(one.wait()) for one in started)


def _pass_on(stream):
    for line in stream:
        telling.line(line)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
