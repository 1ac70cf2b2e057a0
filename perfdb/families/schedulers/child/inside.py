"""What a job runs: `inside.py STAMPS LIMIT_S sleep|burn RUN_S` or `inside.py STAMPS LIMIT_S run PROGRAM ARGUMENT…`.

The first thing that it does is to write to the file STAMPS when it began, and the last to write when it ended. A job that is
begun anew adds to the file. `-` for STAMPS: nothing is written. Time in which it is stopped is none in which it worked, so that a
job that Slurm suspends has as much left to do as it had before. It ends by itself after LIMIT_S seconds of work, since a
scheduler may count limits in minutes; the file says so then.
Standard library alone, any Python since 3.6.
"""

import time

BEGAN_NS = time.time_ns()

import os
import signal
import subprocess
import sys

# So much work at most is done again where the job was stopped meanwhile.
SLICE_S = 0.05
# As `timeout` says it.
AT_LIMIT = 124


def main(stamps, limit_s, what, words):
    """Returns the exit code."""
    stamp(stamps, "began", BEGAN_NS)
    if what == "run":
        code = run(words, limit_s)
    else:
        run_s = float(words[0])
        spend(min(run_s, limit_s), burn if what == "burn" else time.sleep)
        code = AT_LIMIT if run_s > limit_s else 0
    if code == AT_LIMIT:
        stamp(stamps, "limit", time.time_ns())
    stamp(stamps, "ended", time.time_ns())
    return code


def stamp(path, what, ns):
    """Add a line, in one write."""
    if path == "-":
        return
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, f"{what} {ns}\n".encode())
        os.close(file)
    except OSError as error:
        # The job does its work, and nobody knows when.
        sys.stderr.write(f"{error}\n")


def spend(seconds, do):
    """Do it for so long, slice by slice."""
    stops = []
    signal.signal(signal.SIGCONT, lambda *_: stops.append(1))
    left = seconds
    while left > 0:
        before, stopped = time.monotonic(), len(stops)
        do(min(left, SLICE_S))
        if len(stops) == stopped:
            left -= time.monotonic() - before


def burn(seconds):
    """Keep a CPU busy for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for _ in range(100):
            pass


def run(argv, limit_s):
    """Another program; its exit code, or AT_LIMIT where it took too long."""
    program = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    try:
        return program.wait(limit_s)
    except subprocess.TimeoutExpired:
        program.terminate()
        try:
            program.wait(5)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
        return AT_LIMIT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4:]))
