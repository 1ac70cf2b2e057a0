"""What a new results repository holds, and how far a folder is from that. Nothing here writes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_FILES = Path(__file__).parent / "files"
# Where it goes, and the file here that it is. Those that perfdb's own checkout has elsewhere are links to there, of which a
# wheel holds what they lead to.
_SOURCES = {
    ".gitattributes": "gitattributes",
    ".github/check-contribution.sh": "check-contribution.sh",
    ".github/workflows/publish-report.yml": "publish-report.yml",
    ".github/workflows/validate-contribution.yml": "validate-contribution.yml",
    ".gitignore": "gitignore",
    "README.md": "README.md",
    "mlruns/.gitkeep": None,  # git keeps no empty folder, and a clone needs this one
    "parsl-configs/local_htex.py": "local_htex.py",
    "perfdb.toml": "perfdb.toml",
    "requirements.txt": "requirements.txt",
}
Here = Literal["missing", "same", "differs"]


@dataclass(frozen=True)
class Part:
    """One file of the repository.

    Attributes:
        path: Relative to the repository's folder.
        data: What it holds.
        executable: Whether it is a program.
    """

    path: str
    data: bytes
    executable: bool

    def here(self, folder: Path) -> Here:
        """What stands at its place in a folder; anything but a file that can be read and holds the same differs."""
        path = folder / self.path
        if not os.path.lexists(path):
            return "missing"
        try:
            return "same" if path.is_file() and path.read_bytes() == self.data else "differs"
        except OSError:
            return "differs"


def parts() -> tuple[Part, ...]:
    """All files of a new results repository, by path."""
    return tuple(
        Part(path, (_FILES / source).read_bytes() if source else b"", path.endswith(".sh"))
        for path, source in _SOURCES.items()
    )
