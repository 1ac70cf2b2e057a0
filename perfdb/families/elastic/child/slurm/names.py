"""What a run's jobs are called at Slurm, so that whoever comes later knows whose they are."""

import os
import re
import socket

_PREFIX = "perfdb-elastic"
_HELPER = "-grow"
_NAME = re.compile(rf"{_PREFIX}-([\w.-]+?)-([0-9a-f]{{8}})-(\d+)-(\d+)(?:{_HELPER})?$")


def of_this_process():
    """The name of all jobs of this run, which only this process of this boot of this host has."""
    pid = os.getpid()
    return "-".join((_PREFIX, _host(), _boot(), str(pid), str(_ticks(pid))))


def of_helpers(name):
    """The name of the helper jobs of the run of that name."""
    return name + _HELPER


def is_orphan(name):
    """Whether jobs of that name are of a run from this host whose process is gone."""
    match = _NAME.match(name)
    if match is None or match[1] != _host():
        return False
    return match[2] != _boot() or str(_ticks(int(match[3]))) != match[4]


def _host():
    return re.sub(r"[^\w.]", "_", socket.gethostname())


def _boot():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read(8)


def _ticks(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    # One that ended and was not waited for is gone.
    return None if fields[0] in "ZX" else int(fields[19])
