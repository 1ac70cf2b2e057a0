"""What a run's children run: `program.py reports` before the first round, `program.py round` for each. See `answers.py`.

Standard library and Parsl alone, any Python since 3.8.
"""

import json
import os
import signal
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "..", "parsl_config", "child")]
import node_reports
import one_round
import parsl
import telling
import user_config
from scaling import Refused, Scaling

del sys.path[:2]

with open(os.path.join(HERE, "on_node.py"), encoding="utf-8") as file:
    ON_NODE = file.read()
KEY = os.environ["PERFDB_HOST_KEY"]
RUNS = {"reports": node_reports.reports, "round": one_round.one_round}


class Stopped(BaseException):
    """We were told to end."""


# Parsl sends it to the nodes whole because it is of __main__; of a module it would send the name only.
@parsl.python_app
def on_node(source, name, arguments, parsl_resource_specification={}):  # noqa: B006 (Parsl reads this argument by name)
    """Run one function of on_node.py; the stamp is taken before anything else."""
    import time

    started = [time.time_ns() / 1e9, time.monotonic_ns() / 1e9]
    namespace = {}
    exec(source, namespace)
    return namespace[name](started, *arguments)


def main(what):
    """Run it on the config under test, leave nothing behind, and exit with the code that it returns."""

    def stop(number, _):
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(one, signal.SIG_IGN)
        raise Stopped(number)

    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, stop)
    code = 1
    try:
        with Scaling(user_config.load(), asks_python=what == "reports") as scaling:

            def submit(name, *arguments):
                return on_node(ON_NODE, name, (KEY, *arguments), parsl_resource_specification=scaling.resources)

            code = RUNS[what](scaling, json.loads(os.environ["PERFDB_WORKLOAD"]), submit, KEY)
    except Refused as refused:
        print(refused, file=sys.stderr)
    except Stopped:
        telling.answer("note", text="stopped")
    except Exception:  # noqa: BLE001 (told here, for a thread that hangs must not keep this process)
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1])
