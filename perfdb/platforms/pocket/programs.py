"""The programs of a pocket cluster: where they are, and what to type where they are not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from perfdb.errors import ClusterError

# Daemons live in folders that an ordinary user's PATH often lacks.
_ALSO = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_DAEMONS = ("munged", "slurmctld", "slurmd")
_COMMANDS = ("sinfo", "squeue", "scontrol", "scancel", "sbatch", "srun")


def find(program: str) -> str | None:
    """Its full path, also where only an administrator's PATH has it; None where it is not installed."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_ALSO])
    return shutil.which(program, path=path)


@dataclass(frozen=True)
class Programs:
    """Full paths."""

    munged: str
    slurmctld: str
    slurmd: str

    @classmethod
    def found(cls) -> Self:
        """Those of this machine.

        Raises:
            ClusterError: some are missing.
        """
        daemons = {name: find(name) for name in _DAEMONS}
        missing = [name for name in (*_DAEMONS, *_COMMANDS) if not find(name)]
        if missing:
            packages = [
                package
                for package, has in (("slurm-wlm", missing != ["munged"]), ("munge", "munged" in missing))
                if has
            ]
            raise ClusterError(how_to_install(missing, packages))
        return cls(**{name: path or "" for name, path in daemons.items()})

    def version(self) -> tuple[int, int]:
        """Of this Slurm: 22.05.8 is (22, 5).

        Raises:
            ClusterError: it does not say.
        """
        try:
            said = subprocess.run([self.slurmd, "-V"], capture_output=True, text=True, timeout=10, check=False).stdout
        except (OSError, subprocess.TimeoutExpired):
            said = ""
        found = re.search(r"(\d+)\.(\d+)", said)
        if found is None:
            raise ClusterError(f"{self.slurmd} does not say its version. Try `{self.slurmd} -V`, and install it anew.")
        return int(found[1]), int(found[2])


def how_to_install(missing: list[str], packages: list[str]) -> str:
    """The paragraph for programs that are missing."""
    what = f"this machine lacks {', '.join(missing)}."
    if is_debian():
        sudo = "" if os.getuid() == 0 else "sudo "
        return f"{what} Install what a pocket cluster needs with `{sudo}apt-get install {' '.join(packages)}`, then try again."
    return (
        f"{what} Install Slurm's daemons and commands and MUNGE with your system's packages (on Debian and Ubuntu: "
        f"{' '.join(packages)}), then try again. A pocket cluster was only ever tried on Debian."
    )


def is_debian() -> bool:
    """Whether this is Debian, Ubuntu or one of their kin."""
    try:
        text = Path("/etc/os-release").read_text(errors="replace")
    except OSError:
        return False
    words = [line.partition("=")[2].strip('"') for line in text.splitlines() if line.startswith(("ID=", "ID_LIKE="))]
    return any("debian" in word.split() or "ubuntu" in word.split() for word in words)
