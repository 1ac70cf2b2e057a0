"""A fault in the middle of a load: a command that the user gave, and how long the balancer takes to notice what it did."""

import contextlib
import os
import signal
import subprocess

# So long it may take.
PATIENCE_S = 60.0
# How often the balancer is asked, from the fault until it has noticed, and from then until all is well.
NOTICE_S, RECOVER_S = 0.02, 0.1


class Fault:
    """`after_s` into the load the command is run, without a shell; nothing of it is told but how it ended."""

    def __init__(self, argv, after_s, clock):
        self.at = None  # when it was run
        self.after_s = after_s
        self.told = False
        self._argv = argv
        self._clock = clock
        self._process = None

    def begin(self):
        """Run it now."""
        self.at = self._clock()
        with contextlib.suppress(OSError, ValueError):
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def ended(self, wait_s=0.0):
        """Once it has ended `(seconds it took, exit code)`, before that None; no code where it could not be run, or did not end."""
        if self._process is None:
            return 0.0, None
        try:
            code = self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            if self._clock() - self.at < PATIENCE_S and not wait_s:
                return None
            self.end()
            code = None
        return self._clock() - self.at, code

    def end(self):
        """What it began is over, whatever it was doing."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Notice:
    """Whether the balancer noticed: `changes` of how many backends are healthy."""

    def __init__(self):
        self._last = None

    def changed(self, backends):
        """`(all, healthy)` where that is new."""
        now = len(backends), sum(well for _, well in backends.values())
        if now == self._last:
            return None
        self._last = now
        return now

    @property
    def well(self):
        """Whether all were healthy when last looked at."""
        return self._last is not None and self._last[0] == self._last[1]
