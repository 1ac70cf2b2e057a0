"""What became of an attempt, however the daemon that asked before us ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType

from perfdb.minislurm import process
from perfdb.minislurm.clock import Clock
from perfdb.minislurm.daemon.findings import Undecided, look
from perfdb.minislurm.places import Places
from perfdb.minislurm.store.promise import Promise
from perfdb.minislurm.supervisor import journal

LINES = 12


def promise(id: int) -> Promise:
    return Promise(
        id=id,
        priority=0,
        min_cpus=1,
        max_cpus=1,
        mem_mb=64,
        limit_s=None,
        is_elastic=False,
        attempt=1,
        cpu_ids=(0,),
        target_cpus=1,
        generation=0,
        allocated_ns=0,
        boot=process.boot_id(),
        enforcement="affinity",
    )


def look_and_die(places: Places, id: int, at_line: int) -> int:
    """Look in a process that ends at that line of the fencing; returns how many lines it came to, at most `at_line`."""
    pid = os.fork()
    if pid == 0:
        lines = 0

        def trace(frame: FrameType, event: str, _: object) -> object:
            nonlocal lines
            if frame.f_code.co_name != "_fence":
                return trace if event == "call" else None
            if event == "line":
                lines += 1
                if lines == at_line:
                    os._exit(lines)
            return trace

        sys.settrace(trace)
        look(places, promise(id), Clock(), group="none")
        os._exit(lines)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_an_attempt_whose_fencing_was_cut_off_anywhere_never_ran(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.run.mkdir()
    reached = [look_and_die(places, id, at_line=id) for id in range(1, LINES + 1)]
    assert reached[0] == 1
    assert reached[-1] < LINES, "each of its lines was an end once"

    for id in range(1, LINES + 1):
        assert look(places, promise(id), Clock(), group="none") is Undecided.NEVER_RAN
        assert journal.read(places.journal(id, 1)) == journal.Journal(is_fenced=True)
