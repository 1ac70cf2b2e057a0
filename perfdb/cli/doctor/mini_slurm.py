"""mini-slurm: by what it can keep jobs to their CPUs and memory here."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from perfdb.cli.doctor.here import Here
from perfdb.cli.doctor.point import Point

NEEDED_FOR = "mini-slurm scheduler; perfdb run elastic mini-slurm"
# In a process of its own: finding it out moves the process between cgroups.
_TRY = "from perfdb.minislurm.enforcement import strongest; print(strongest().name)"
_FIX = {
    "affinity": "let cpuset cgroups be delegated: systemd-run --user --scope -p Delegate=yes mini-slurm scheduler",
    "watched": "let memory cgroups be delegated: systemd-run --user --scope -p Delegate=yes mini-slurm scheduler",
}


def look(here: Here) -> Iterator[Point]:
    """Try it, as the daemon does when it starts."""
    said = here.ask([sys.executable, "-P", "-c", _TRY])
    if not said.well:
        told = f"it could not be found out how jobs are enforced: {said.complaint}"
        yield Point("mini-slurm", "note", told, NEEDED_FOR, "`mini-slurm scheduler` says more")
        return
    weak = next((fix for means, fix in _FIX.items() if means in said.out), None)
    if weak is None:
        yield Point("mini-slurm", "ok", f"jobs are enforced by {said.out}", NEEDED_FOR)
    else:
        told = f"jobs are enforced by {said.out}: a job can leave its share, or is seen late"
        yield Point("mini-slurm", "note", told, NEEDED_FOR, weak)
