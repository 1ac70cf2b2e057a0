"""`ask.py` has the client nodes do the load of PERFDB_LOAD_PLAN: it asks `hold.py`, and passes on what they say.

Standard library alone, any Python since 3.8 on Linux.
"""

import contextlib
import json
import os
import socket
import sys
import time

SOCKET = "asked"
OVER = b'{"kind":"over"}\n'
PATIENCE_S = 30.0
LOOK_S = 0.05


def main(folder, plan):
    """Ask, pass on, and return the exit code."""
    os.chdir(folder)
    with contextlib.suppress(OSError):
        asked = connected()
        asked.sendall(json.dumps(json.loads(plan)).encode() + b"\n")
        for line in asked.makefile("rb"):
            if line == OVER:
                return 0
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
    trouble = "what keeps the client nodes ended in the middle: client-nodes/said.jsonl among Parsl's logs tells more"
    print(json.dumps({"kind": "end", "client": 0, "outcome": "failed", "trouble": trouble}), flush=True)
    return 1


def connected():
    """A connection to what keeps the nodes, which may just be starting."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        asked = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            asked.connect(SOCKET)
            return asked
        asked.close()
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(LOOK_S)


if __name__ == "__main__":
    sys.exit(main(os.environ["PERFDB_BESIDE_DIR"], os.environ["PERFDB_LOAD_PLAN"]))
