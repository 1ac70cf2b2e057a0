"""mini-slurm as a person has it: commands typed in a home of their own, and a scheduler beside them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

PROGRAM = (
    sys.executable,
    "-c",
    "import sys; from perfdb.cli import mini_slurm; sys.argv[0] = 'mini-slurm'; mini_slurm()",
)


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


@dataclass
class Home:
    """One $MINI_SLURM_HOME. Commands run in it, too."""

    folder: Path
    scheduler: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Nobody's mini-slurm but this one's."""
        return {k: v for k, v in os.environ.items() if not k.startswith("MINI_SLURM")} | {
            "MINI_SLURM_HOME": str(self.folder),
            "COLUMNS": "100",
        }

    def told(self, *words: str, **variables: str) -> Said:
        """`mini-slurm WORDS...`."""
        done = subprocess.run(
            [*PROGRAM, *words],
            capture_output=True,
            encoding="utf-8",
            env=self.environment | variables,
            cwd=self.folder,
            check=False,
            timeout=120,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def told_after(self, line: str, *words: str) -> Said:
        """`mini-slurm WORDS...` in a shell that did `line` before."""
        command = ["/bin/sh", "-c", f'{line}; exec "$@"', "sh", *PROGRAM, *words]
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            env=self.environment,
            cwd=self.folder,
            check=False,
            timeout=120,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def document(self, *words: str) -> Any:
        """The one JSON document of `mini-slurm WORDS... --json`, which went well."""
        code, out, err = self.told(words[0], "--json", *words[1:])
        assert code == 0, err
        return json.loads(out)

    def submitted(self, *words: str) -> int:
        """The id of what `mini-slurm submit WORDS...` submitted."""
        id = self.document("submit", *words)["id"]
        assert isinstance(id, int)
        return id

    def start(self, *options: str) -> dict[str, Any]:
        """Start a scheduler of 8 CPUs, whatever this machine has; returns what it says when it is ready."""
        given = ("--cpus", "8", "--overcommit", *options)
        self.scheduler = subprocess.Popen(
            [*PROGRAM, "scheduler", "--json", *given],
            stdout=subprocess.PIPE,
            stderr=(self.folder / "scheduler.err").open("w"),
            encoding="utf-8",
            env=self.environment,
        )
        assert self.scheduler.stdout is not None
        lines: list[str] = []
        while not lines or lines[-1].rstrip("\n") != "}":
            line = self.scheduler.stdout.readline()
            assert line, (self.folder / "scheduler.err").read_text()
            lines.append(line)
        ready = json.loads("".join(lines))
        assert isinstance(ready, dict)
        return ready

    def stop(self) -> int:
        """End the scheduler in good order; returns its exit code."""
        assert self.scheduler is not None and self.scheduler.stdout is not None
        self.scheduler.send_signal(signal.SIGTERM)
        code = self.scheduler.wait(60)
        self.scheduler.stdout.close()
        self.scheduler = None
        return code

    def close(self) -> None:
        """End all that was started here."""
        if self.scheduler is not None:
            live = [str(row["id"]) for row in self.document("queue")["jobs"]]
            if live:
                self.told("cancel", *live)
                self.told("wait", *live, "--timeout", "60")
            self.stop()
