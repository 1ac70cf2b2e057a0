"""What a child's clusters and jobs are called, so that whoever comes later knows whose they are."""

import os
import re
import socket

_CLUSTER = re.compile(r"sched(\d{1,7})_(\d{1,12})$")
_JOBS = re.compile(r"perfdb-schedulers-([\w.-]+?)-([0-9a-f]{8})-(\d+)-(\d+)$")


def of_cluster():
    """The name of the pocket cluster that this process brings up."""
    pid = os.getpid()
    return f"sched{pid}_{_ticks(pid)}"


def of_jobs():
    """The name of all jobs of this process, which only it has, of this boot of this host."""
    pid = os.getpid()
    return "-".join(("perfdb-schedulers", _host(), _boot(), str(pid), str(_ticks(pid))))


def is_orphaned_cluster(name):
    """Whether that is a cluster of a child whose process is gone."""
    match = _CLUSTER.match(name)
    return match is not None and str(_ticks(int(match[1]))) != match[2]


def are_orphaned_jobs(name):
    """Whether that is the name of jobs of a child on this host whose process is gone."""
    match = _JOBS.match(name)
    if match is None or match[1] != _host():
        return False
    return match[2] != _boot() or str(_ticks(int(match[3]))) != match[4]


def _host():
    return re.sub(r"[^\w.]", "_", socket.gethostname())


def _boot():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read(8)


def _ticks(pid):
    """When that process began, in ticks since the boot; None where it is gone, or ended and was not waited for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])
