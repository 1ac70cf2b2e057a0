"""What a check is given: the settings, and until when it may look."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from perfdb.settings import Settings

# So much of a check's time is left for telling what it found.
_TO_TELL_S = 0.2
_MOST_BYTES = 1 << 20


class Said(NamedTuple):
    """What a program said.

    Attributes:
        code: Its exit code; None where it could not be begun or did not end in time.
        out: Its standard output.
        complaint: The last line of its standard error; or why it could not be begun, or that it was too slow.
        errors: All of its standard error; the complaint where it did not come to its end.
    """

    code: int | None
    out: str
    complaint: str
    errors: str

    @property
    def well(self) -> bool:
        """Whether it ended, and without complaint."""
        return self.code == 0


@dataclass(frozen=True)
class Here:
    """This machine, for one check.

    Attributes:
        settings: Those in force.
        deadline_s: When the check must be over, on the monotonic clock.
        begun: The processes that run for a check now, each leading its group.
    """

    settings: Settings
    deadline_s: float
    begun: set[subprocess.Popen[bytes]] = field(default_factory=set)

    def left_s(self) -> float:
        """Seconds that a check may still wait for something, at least a hundredth."""
        return max(0.01, self.deadline_s - _TO_TELL_S - time.monotonic())

    def ask(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Said:
        """Run a program to its end, or to the check's.

        It has no terminal to ask a question on, and none of what it began is left when it was too slow.

        Args:
            env: Its whole environment; by default ours.
        """
        # Files and not pipes: what it leaves in the background may hold a pipe open for ever.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                process = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, start_new_session=True
                )
            except OSError as error:
                why = f"it cannot be started: {os.strerror(error.errno or 0)}"
                return Said(None, "", why, why)
            self.begun.add(process)
            try:
                code = process.wait(self.left_s())
            except subprocess.TimeoutExpired:
                end(process)
                return Said(None, "", "it did not answer in time", "it did not answer in time")
            finally:
                self.begun.discard(process)
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read(_MOST_BYTES).decode(errors="replace").strip())
        errors = texts[1] or f"it ended with {code}"
        return Said(code, texts[0], errors.splitlines()[-1][:200], errors)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it began."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.1)  # one that waits for a disk that is gone can't even be killed


def has(program: str) -> bool:
    """Whether a program is on PATH."""
    return shutil.which(program) is not None
