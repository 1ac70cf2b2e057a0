"""The program of a daemon under test: `python serving.py OPTIONS`, with MINI_SLURM_HOME set.

OPTIONS is JSON: fields of Options and of Rules, and `wall_clock`: a file that holds by how many seconds the wall clock is
wrong; `descriptors`: how many files it may open at first; `after_signal_s`: for how long it is held up each time it has signalled a job.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from perfdb.errors import PerfdbError
from perfdb.minislurm import signalling
from perfdb.minislurm.clock import Clock
from perfdb.minislurm.daemon.program import Options, run
from perfdb.minislurm.places import Places
from perfdb.minislurm.policy.cluster import Rules


class JumpingClock(Clock):
    """Its wall clock is wrong by what a file says now."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def at(self) -> float:
        return time.time() + float(self._file.read_text())


def hold_up(seconds: float) -> None:
    """Whoever sends a signal from now on loses the CPU right after it."""
    tell = signalling.tell

    def tell_slowly(supervisor_pid: int, registered: tuple[int, int] | None = None) -> list[int]:
        told = tell(supervisor_pid, registered)
        time.sleep(seconds)
        return told

    signalling.tell = tell_slowly


def main() -> int:
    fields = json.loads(sys.argv[1])
    hold_up(fields.pop("after_signal_s", 0))
    if descriptors := fields.pop("descriptors", None):
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    wall_clock = fields.pop("wall_clock", None)
    rules = Rules(**{name: fields.pop(name) for name in list(fields) if name in Rules.__dataclass_fields__})
    clock = JumpingClock(Path(wall_clock)) if wall_clock else None
    try:
        run(Places.here(), Options(rules, **fields), lambda line: print(line, flush=True), clock)
    except PerfdbError as error:
        print(f"error: {error}", flush=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
