"""`guard.py JSON`: deletes a run's objects once whoever holds the other end of standard input is gone without a word.

JSON has the run's number, its namespace, whether that is its own, and the kinds of its objects.
"""

import json
import os
import signal
import sys

# The run deleted its objects itself, and says so.
DONE = b"done"
PATIENCE_S = 120.0


def main(text: str) -> int:
    """Wait, then delete; the exit code is 0 where nothing is left."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    if sys.stdin.buffer.read() == DONE:
        return 0
    # Beside us is a folder's worth of modules that nobody is to import by their bare names; and most guards never need any.
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    from perfdb.families.schedulers.child.kubernetes.made import Made, kinds_of
    from perfdb.families.schedulers.child.kubernetes.server import Unfit, connect

    said = json.loads(text)
    try:
        made = Made(connect(), said["run"], said["namespace"], said["owns_namespace"], kinds_of(said["kinds"]))
        return 1 if made.delete_all(PATIENCE_S) else 0
    except Unfit:
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
