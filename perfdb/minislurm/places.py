"""Where mini-slurm keeps things: two names in the home folder that people know, and a folder beside them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from perfdb.errors import MiniSlurmError


@dataclass(frozen=True)
class Places:
    """All of it below `home`: $MINI_SLURM_HOME, or the home folder."""

    home: Path

    @classmethod
    def here(cls) -> Places:
        """Where this user's are.

        Raises:
            MiniSlurmError: that names the home folder of a user that there is not, or we have none.
        """
        named = os.environ.get("MINI_SLURM_HOME", "")
        try:
            return cls(Path(named or "~").expanduser().absolute())
        except RuntimeError as error:
            raise MiniSlurmError(
                f"MINI_SLURM_HOME is {named!r}, and no such home folder is known: set it to a folder of yours, such as "
                "export MINI_SLURM_HOME=/tmp/mini-slurm"
            ) from error

    @property
    def database(self) -> Path:
        """The jobs and their history."""
        return self.home / ".mini_slurm.db"

    @property
    def logs(self) -> Path:
        """Control files, and what jobs print."""
        return self.home / ".mini_slurm_logs"

    @property
    def run(self) -> Path:
        """What is of use only while jobs run: the lock, sockets, journals, answers."""
        return self.home / ".mini_slurm_run"

    @property
    def lock(self) -> Path:
        """Locked (flock) by whoever writes the database: the daemon, or a command while none runs."""
        return self.run / "lock"

    @property
    def socket(self) -> Path:
        """The daemon's, for commands: a stream."""
        return self.run / "daemon.sock"

    @property
    def hints(self) -> Path:
        """The daemon's, for jobs: datagrams, each a reason to read an answer file."""
        return self.run / "hints.sock"

    def control(self, job: int) -> Path:
        """What an elastic job reads its allocation from."""
        return self.logs / f"job_{job}.control"

    def stdout(self, job: int) -> Path:
        """What it prints."""
        return self.logs / f"job_{job}.out"

    def stderr(self, job: int) -> Path:
        """What it complains of."""
        return self.logs / f"job_{job}.err"

    def journal(self, job: int, attempt: int) -> Path:
        """Its supervisor's. Whoever creates this file, supervisor or daemon, decides whether this attempt runs."""
        return self.run / f"job_{job}.{attempt}.journal"

    def answer(self, job: int) -> Path:
        """What the job says of its resizes."""
        return self.run / f"job_{job}.answer"
