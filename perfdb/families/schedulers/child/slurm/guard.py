"""`guard.py cluster NAME` or `guard.py jobs NAME`: ends that pocket cluster, or all jobs of that name, once whoever holds the
other end of standard input is gone.

A child that is killed can end nothing any more.
"""

import os
import signal
import sys
import time

# The child ended it itself, and says so.
DONE = b"done"
_PATIENCE_S = 60.0
_AGAIN_S = 0.5


def main(what, name):
    """Wait, then end it; the exit code is 0 where nothing is left."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    if sys.stdin.buffer.read() == DONE:
        return 0
    deadline = time.monotonic() + _PATIENCE_S
    # A job that was on its way while we looked, or a cluster about to start, may get through.
    quiet = 0
    while quiet < 2:
        if time.monotonic() > deadline:
            return 1
        quiet = quiet + 1 if _end(what, name) else 0
        time.sleep(_AGAIN_S)
    return 0


def _end(what, name):
    """Whether nothing was left to end."""
    if what == "cluster":
        from perfdb.errors import ClusterError
        from perfdb.platforms.pocket import Places, down

        try:
            return not down(Places.of(name), lambda _: None)
        except ClusterError:
            return False
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from commands import Refused, Slurm

    try:
        return Slurm("/").cancel(name)
    except Refused:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
