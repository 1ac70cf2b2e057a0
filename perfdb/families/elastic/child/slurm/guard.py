"""`guard.py NAME…`: ends all jobs of these names once whoever holds the other end of standard input is gone.

A controller that is killed can end nothing any more, and a helper job that nobody ends holds its nodes for ever.
"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from commands import Refused, Slurm

# The controller ended its jobs itself, and says so.
DONE = b"done"
PATIENCE_S = 60.0
AGAIN_S = 0.5


def main(names):
    """Wait, then end them; the exit code is 0 where none is left."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    if sys.stdin.buffer.read() == DONE:
        return 0
    slurm = Slurm("/")
    deadline = time.monotonic() + PATIENCE_S
    # None that was on its way while we looked may get through.
    quiet = 0
    while time.monotonic() < deadline:
        try:
            left = [name for name in names if not slurm.cancel_named(name)]
            quiet = 0 if left else quiet + 1
        except Refused:
            quiet = 0
        if quiet > 1:
            return 0
        time.sleep(AGAIN_S)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
