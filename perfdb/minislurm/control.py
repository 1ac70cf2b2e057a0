"""The control file: what an elastic job reads its allocation from. Lines of KEY=value, always a whole file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

Status = Literal["RUNNING", "COMPLETED", "FAILED"]


@dataclass(frozen=True)
class Control:
    """One state of it.

    Attributes:
        cpus: The current allocation.
        generation: Counts the resizes from 0, the start. A job that answers names the generation that it answers to.
        scaled_at: Of the last resize, or the start: seconds since 1970, by the wall clock, for people.
    """

    cpus: int
    mem_mb: int
    min_cpus: int
    max_cpus: int
    status: Status
    scaled_at: float
    generation: int

    def text(self) -> str:
        """As it is in the file."""
        return (
            f"CPUS={self.cpus}\nMEM_MB={self.mem_mb}\nMIN_CPUS={self.min_cpus}\nMAX_CPUS={self.max_cpus}\n"
            f"STATUS={self.status}\nSCALE_EVENT={self.scaled_at:.6f}\nGENERATION={self.generation}\n"
        )

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What `text` says, or None where it is no control file, or one that somebody spoiled."""
        fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        status = fields.get("STATUS")
        if status not in ("RUNNING", "COMPLETED", "FAILED"):
            return None
        try:
            found = cls(
                cpus=int(fields["CPUS"]),
                mem_mb=int(fields["MEM_MB"]),
                min_cpus=int(fields["MIN_CPUS"]),
                max_cpus=int(fields["MAX_CPUS"]),
                status=status,  # type: ignore[arg-type] # one of the three
                scaled_at=float(fields["SCALE_EVENT"]),
                generation=int(fields["GENERATION"]),
            )
        except (KeyError, ValueError):
            return None
        return found if 0 < found.min_cpus <= found.cpus <= found.max_cpus and found.generation >= 0 else None

    def write(self, path: Path) -> None:
        """Replace the file at `path`: a reader sees the old one or this one, and so does whoever looks after a crash.

        Raises:
            OSError: it could not be written; the old one stays.
        """
        beside = path.with_name(f".{path.name}.new")
        try:
            with beside.open("w", encoding="utf-8") as file:
                file.write(self.text())
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
