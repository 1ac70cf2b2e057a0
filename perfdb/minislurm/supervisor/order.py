"""What a supervisor is told: one JSON object a line from the daemon to the fork server."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

# What the fork server answers to each order: job, attempt, the supervisor's pid. Its pidfd comes beside it.
ANSWER = struct.Struct("=qqq")


@dataclass(frozen=True)
class Order:
    """One attempt of one job.

    Attributes:
        argv: What to run; found on the PATH of `env` where its first word is no path.
        env: Its whole environment.
        journal: Created, exclusively, before anything else; it exists already: somebody else decided, and nothing is run.
        cpu_ids: The CPUs it may use at first.
        memory_mb: It is ended above this.
        limit_s: It is ended this long after its start; None for never.
        grace_s: Between TERM and KILL.
        enforcement: The name of what keeps it to that, as `enforcement.strongest` found it.
        group: Names its cgroups; unique to this attempt on this machine.
    """

    job: int
    attempt: int
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    stdout: str
    stderr: str
    journal: str
    cpu_ids: tuple[int, ...]
    memory_mb: int
    limit_s: float | None
    grace_s: float
    enforcement: str
    group: str

    def to_json(self) -> str:
        """One line that `from_json` reads back."""
        return json.dumps(vars(self) | {"env": dict(self.env)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The order in `text`, which a daemon wrote."""
        fields = json.loads(text)
        return cls(**fields | {"argv": tuple(fields["argv"]), "cpu_ids": tuple(fields["cpu_ids"])})
