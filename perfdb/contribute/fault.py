"""What keeps a contribution from being committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Faulty(Protocol):
    """One fault, whoever found it."""

    @property
    def file(self) -> str:
        """Below the checkout."""

    @property
    def field(self) -> str | None:
        """Where in the file, if that can be said."""

    @property
    def problem(self) -> str:
        """What is wrong."""

    @property
    def remedy(self) -> str:
        """What to do."""


@dataclass(frozen=True)
class Fault:
    """A fault found while the files were read."""

    file: str
    problem: str
    remedy: str
    field: str | None = None


# Given a repository's folder, the base's and the contribution's commit, and the registry's path in them, what the
# validator of pull requests says: what is committed is what was checked.
Check = Callable[[Path, str, str, str], Sequence[Faulty]]
