"""What Slurm starts: `on_node.py FOLDER NUMBER PROGRAM.py…` says that the job runs, and runs the program in this process.

In this one, because Slurm sends a job's signal to the first process of its script alone. Standard library alone, any Python
since 3.8.
"""

import atexit
import contextlib
import json
import os
import runpy
import socket
import sys
import time


def main(folder, number, argv):
    """Say when and where; run it; say when it was over and what it took."""
    begun = time.monotonic_ns()
    me = os.getpid()
    os.environ["MINI_SLURM_JOB_ID"] = os.environ["SLURM_JOB_ID"]
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    path = os.path.join(folder, f"job_{number}.")
    told = {"id": int(os.environ["SLURM_JOB_ID"]), "boot": boot}
    tell(path + "node", dict(told, ns=begun))

    def over():
        if os.getpid() != me:
            return
        times = os.times()
        cpu_s = times.user + times.system + times.children_user + times.children_system
        tell(path + "over", dict(told, cpu_s=cpu_s, ns=time.monotonic_ns()))

    atexit.register(over)
    sys.argv = argv
    sys.path.pop(0)
    runpy.run_path(argv[0], run_name="__main__")


def tell(path, told):
    """Leave it in a file, and say that it is there."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(told, file)
    os.replace(path + ".new", path)
    # Where nobody can be told, it will be looked for.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock, contextlib.suppress(OSError):
        sock.sendto(b"{}", os.environ.get("MINI_SLURM_HINTS", ""))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
