"""The least that supervised jobs cost: fork a supervisor, which forks and execs the job, waits, and writes an fsynced exit file.

    python -I -S bare_loop.py JOBS AT_A_TIME FOLDER PROGRAM

prints the seconds that it took. No queue, no store, no limits, no output files.
"""

from __future__ import annotations

import os
import sys
import time


def supervise(exit_file: str, program: str) -> None:
    """Run the job and say how it ended; never returns."""
    child = os.fork()
    if child == 0:
        try:
            os.execv(program, [program])
        finally:
            os._exit(127)
    _, status = os.waitpid(child, 0)
    file = os.open(exit_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(file, b"%d\n" % status)
    os.fsync(file)
    os._exit(0 if status == 0 else 1)


def main() -> None:
    """All jobs, so many at a time; ends with 1 where one failed."""
    jobs, at_a_time, folder, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    under_way = failed = 0
    began_s = time.monotonic()
    for job in range(jobs):
        if under_way == at_a_time:
            failed += os.wait()[1] != 0
            under_way -= 1
        if os.fork() == 0:
            supervise(f"{folder}/job_{job}.exit", program)
        under_way += 1
    for _ in range(under_way):
        failed += os.wait()[1] != 0
    print(time.monotonic() - began_s)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
