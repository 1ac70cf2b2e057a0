"""Starting one daemon of a cluster, and waiting until it answers."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfdb.errors import ClusterError
from perfdb.platforms.pocket.places import Places

START_PATIENCE_S = 30.0
_PAUSE_S = 0.05


@dataclass(frozen=True)
class Daemon:
    """One that we started."""

    name: str
    process: subprocess.Popen[bytes]
    logs: tuple[Path, ...]

    def wait_until(self, answers: Callable[[], bool]) -> None:
        """Return once it does.

        Raises:
            ClusterError: it ended, or did not for START_PATIENCE_S seconds; with the last lines of its log.
        """
        deadline = time.monotonic() + START_PATIENCE_S
        while not answers():
            code = self.process.poll()
            if code is not None:
                raise ClusterError(
                    f"{self.name} ended with code {code} as soon as it was started. {self._last_words()}"
                )
            if time.monotonic() > deadline:
                raise ClusterError(f"{self.name} did not answer for {START_PATIENCE_S:g} s. {self._last_words()}")
            time.sleep(_PAUSE_S)

    def _last_words(self) -> str:
        lines = [line for log in self.logs for line in last_lines(log, 4)]
        return "It said last: " + " | ".join(lines) if lines else "It said nothing."


def start(places: Places, name: str, argv: Sequence[str]) -> Daemon:
    """Start it in the foreground mode, in a session of its own: it outlives this process and its terminal.

    Raises:
        ClusterError: it can't be.
    """
    with places.output(name).open("ab") as output:
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=places.environment(),
                cwd=places.folder,
                start_new_session=True,
            )
        except OSError as error:
            raise ClusterError(f"{argv[0]} could not be started: {error.strerror}. Mend that and try again.") from error
    return Daemon(name, process, (places.output(name), places.log(name)))


def last_lines(log: Path, count: int) -> list[str]:
    """The last lines that say something."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return []
    return [line.strip()[:300] for line in text.splitlines() if line.strip()][-count:]
