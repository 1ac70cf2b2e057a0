"""What the machine's CPUs did meanwhile: ours, and all of them."""

import ctypes
import os
import resource
import time

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_HZ = os.sysconf("SC_CLK_TCK")


def adopt_orphans():
    """Supervisors outlive who started them: have them become ours, so that what they used is told to us."""
    ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)


def reap(patience_s):
    """Wait for all that is ours, at most so long. Returns whether none is left."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if pid == 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)


class Watch:
    """From its making to `told`."""

    def __init__(self):
        self._begun = time.monotonic(), _busy_s(), _own_s()

    def told(self, jobs_cpu_s):
        """The fields of a `machine` line. `jobs_cpu_s`: what the jobs are known to have used, at least."""
        now = time.monotonic(), _busy_s(), _own_s()
        wall, busy, own = (end - begin for end, begin in zip(now, self._begun, strict=True))
        # Those who were not waited for are not counted by the kernel.
        return {"wall_s": wall, "cpus": os.cpu_count() or 1, "busy_s": max(0.0, busy), "own_s": max(own, jobs_cpu_s)}


def _busy_s():
    """CPU seconds since the boot in which a CPU was not idle."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / _HZ


def _own_s():
    mine = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in mine)
