"""Slurm's own commands, spoken to one cluster."""

from __future__ import annotations

import subprocess

from perfdb.platforms.pocket.places import Places
from perfdb.platforms.pocket.programs import find

_TIMEOUT_S = 5.0


def ask(places: Places, *argv: str, timeout_s: float = _TIMEOUT_S) -> str | None:
    """What the command says; None where it fails, hangs or is not installed."""
    program = find(argv[0])
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *argv[1:]],
            env=places.environment(),
            cwd=places.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
