"""Stand-ins for clusters' commands: small scripts on PATH that answer as they are told and note what they are asked.

They stand in for systems that are not here, and say what a real Slurm cannot be made to say. A real Slurm is asked in
test_slurm_real.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

_SCRIPT = """\
#!{python} -SE
import json, sys
with open({asked!r}, "a") as asked:
    asked.write({name!r} + " " + " ".join(sys.argv[1:]) + "\\n")
with open({rules!r}) as rules:
    rules = json.load(rules)
for part, answer, code in rules:
    if part in " ".join(sys.argv[1:]):
        sys.stdout.buffer.write(bytes.fromhex(answer))
        sys.exit(code)
sys.exit(1)
"""


class StandIns:
    """A PATH with nothing on it but stand-ins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked = folder / "asked"

    def add(self, name: str, answer: str | bytes = "", code: int = 0, *, to: str = "") -> None:
        """Have `name` answer so from now on, to whatever is not answered otherwise or to arguments that hold `to`."""
        rules = self._folder / f"{name}.rules"
        told = [rule for rule in (json.loads(rules.read_text()) if rules.exists() else []) if rule[0] != to]
        told.append([to, (answer if isinstance(answer, bytes) else answer.encode()).hex(), code])
        rules.write_text(json.dumps(sorted(told, key=lambda rule: -len(rule[0]))))
        script = self._folder / "bin" / name
        script.write_text(_SCRIPT.format(python=sys.executable, asked=str(self._asked), name=name, rules=str(rules)))
        script.chmod(0o755)

    @property
    def asked(self) -> list[str]:
        """Every command line, in order."""
        return self._asked.read_text().splitlines() if self._asked.exists() else []


@pytest.fixture
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("SLURM_CONF", raising=False)
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
