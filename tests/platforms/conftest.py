"""Stand-ins for clusters' commands: small scripts on PATH that answer as they are told and note what they are asked.

No cluster can be assumed where these tests run; a real one is driven by hand and in deploy/.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_SCRIPT = """\
#!{python} -SE
import sys
with open({asked!r}, "a") as asked:
    asked.write({name!r} + " " + " ".join(sys.argv[1:]) + "\\n")
with open({answer!r}, "rb") as answer:
    sys.stdout.buffer.write(answer.read())
sys.exit({code})
"""


class StandIns:
    """A PATH with nothing on it but stand-ins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked = folder / "asked"

    def add(self, name: str, answer: str | bytes = "", code: int = 0) -> None:
        """Have `name` answer so from now on."""
        text = self._folder / f"{name}.answer"
        text.write_bytes(answer if isinstance(answer, bytes) else answer.encode())
        script = self._folder / "bin" / name
        script.write_text(
            _SCRIPT.format(python=sys.executable, asked=str(self._asked), name=name, answer=str(text), code=code)
        )
        script.chmod(0o755)

    @property
    def asked(self) -> list[str]:
        """Every command line, in order."""
        return self._asked.read_text().splitlines() if self._asked.exists() else []


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return StandIns(tmp_path)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A Parsl run folder as a SlurmProvider leaves it: one job in the log, a second one only as a submit script."""
    folder = tmp_path / "run"
    scripts = folder / "000" / "submit_scripts"
    scripts.mkdir(parents=True)
    for name in ("parsl.htex.block-0.1", "parsl.htex.block-1.2"):
        (scripts / name).write_text("#!/bin/bash\n")
        (scripts / f"{name}.stdout").write_text("")
        (scripts / f"{name}.stderr").write_text("")
    (folder / "000" / "parsl.log").write_bytes(
        b"1763692080.1 2026-11-21 02:28:00 MainProcess parsl.executors.status_handling:272 INFO: "
        b"Launched block 0 on executor htex with job ID 4711\n\xff\xfe garbage\n"
        b"1763692081.1 INFO: Launched block 0 on executor htex with job ID 4711\n"
    )
    return folder
