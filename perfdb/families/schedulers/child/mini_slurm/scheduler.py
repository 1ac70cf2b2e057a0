"""A mini-slurm of our own: the real program, with a home that nobody else has."""

import os
import shutil
import signal
import subprocess
import sys
import time

from perfdb.minislurm import client

_UP_S = 60.0
_DOWN_S = 30.0
_LOOK_S = 0.01


class Trouble(Exception):
    """It did not come up, or went away."""


class Scheduler:
    """`mini-slurm scheduler` from its start to its end; what it says goes into `log`."""

    def __init__(self, places, cpus, overcommit, log):
        self._places, self._log = places, log
        flags = ["--cpus", str(cpus), "--disable-elastic", *(["--overcommit"] if overcommit else [])]
        with open(log, "ab") as said:
            self._process = subprocess.Popen(
                [_program(), "scheduler", *flags],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env=dict(os.environ, MINI_SLURM_HOME=str(places.home)),
            )

    def wait_until_up(self):
        """Until it answers.

        Raises:
            Trouble: it ended, or does not come up.
        """
        deadline = time.monotonic() + _UP_S
        while client.is_running(self._places) is None:
            self.see_that_it_runs()
            if time.monotonic() > deadline:
                raise Trouble(f"the scheduler did not come up in {_UP_S:g} s: {self._last_words()}")
            time.sleep(_LOOK_S)

    def see_that_it_runs(self):
        """Nothing, if it does.

        Raises:
            Trouble: it ended.
        """
        code = self._process.poll()
        if code is not None:
            raise Trouble(f"the scheduler ended with code {code}: {self._last_words()}")

    def end(self):
        """It is over when this returns."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_DOWN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _last_words(self):
        with open(self._log, encoding="utf-8", errors="replace") as said:
            return " | ".join(line.strip() for line in said.readlines()[-3:]) or "it said nothing"


def _program():
    """The one that belongs to this Python, else the one on PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), "mini-slurm")
    found = beside if os.access(beside, os.X_OK) else shutil.which("mini-slurm")
    if found is None:
        raise Trouble(f"there is no program mini-slurm beside {sys.executable}, nor on PATH")
    return found
