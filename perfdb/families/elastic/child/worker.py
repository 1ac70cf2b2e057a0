"""A job of the mix: so many units of work, as many at a time as it has CPUs.

    worker.py UNITS UNIT_S burn|sleep finish|drop TOLD

TOLD gets a JSON line for each resize, and one at the end. Standard library and the job's side of mini-slurm, any Python since
3.8.
"""

import json
import os
import select
import signal
import socket
import sys
import time

from perfdb.minislurm.job import register


def main(units, unit_s, work, on_shrink, told):
    """Do it all, and say what it took."""
    job = register()
    pool = Pool(units, UNITS[work], unit_s, on_shrink == "drop", Told(told))
    pool.resize(job.cpus)
    while not pool.is_done:
        poller = select.poll()
        for fd in (job.fileno(), *pool.filenos):
            poller.register(fd, select.POLLIN)
        ready = {fd for fd, _ in poller.poll()}
        resize = job.poll()
        pool.heard(ready)
        if resize is not None:
            pool.resize(resize.cpus, resize)
    pool.close()


class Told:
    """The file that says what happened."""

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def say(self, **fields):
        """Append one line of JSON, whole or not at all."""
        os.write(self._file, (json.dumps(fields) + "\n").encode())


class Slot:
    """A process that does one unit after another."""

    def __init__(self, do, unit_s, inherited):
        self.here, there = socket.socketpair()
        self.begun_s = None  # when it was given its unit; None while it has none
        self.idle_s = time.monotonic()  # since when it has none
        self.up_s = None  # when it was heard of first
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                # Signals are for the process that registered.
                signal.signal(signal.SIGUSR1, signal.SIG_IGN)
                self.here.close()
                for fd in inherited:
                    os.close(fd)
                there.send(b"u")
                while there.recv(1):
                    do(unit_s)
                    there.send(b"d")
                code = 0
            finally:
                os._exit(code)
        there.close()

    def give(self):
        """One more unit."""
        self.here.send(b"w")
        self.begun_s, self.idle_s = time.monotonic(), None

    def hear(self):
        """What it says: whether that is a unit done."""
        said = self.here.recv(16)
        if not said:
            raise RuntimeError("a worker is gone")
        self.up_s = self.up_s or time.monotonic()
        if b"d" not in said:
            return False
        self.begun_s, self.idle_s = None, time.monotonic()
        return True

    def end(self, kill=False):
        """It is over when this returns."""
        if kill:
            os.kill(self.pid, signal.SIGKILL)
        self.here.close()
        os.waitpid(self.pid, 0)


class Change:
    """A resize that is not done yet."""

    def __init__(self, resize):
        self.resize = resize
        self.noticed_s = time.monotonic()
        self.coming = []
        self.going = []
        self.lost_units = 0
        self.lost_s = 0.0

    @property
    def is_done(self):
        """Whether whoever comes is up and whoever goes is idle."""
        return all(slot.up_s is not None for slot in self.coming) and all(slot.begun_s is None for slot in self.going)


class Pool:
    """The workers, and the units that are left."""

    def __init__(self, units, do, unit_s, drops, told):
        self._units = self._left = units
        self._do, self._unit_s, self._drops, self._told = do, unit_s, drops, told
        self._slots = []
        self._changes = []
        self._done = self._lost = 0

    @property
    def filenos(self):
        """The descriptors to wait on, one of each worker."""
        return [slot.here.fileno() for slot in self._all]

    @property
    def _all(self):
        return [*self._slots, *(slot for change in self._changes for slot in change.going)]

    @property
    def is_done(self):
        """Whether no unit is left."""
        return self._done == self._units

    def resize(self, cpus, resize=None):
        """Have so many workers."""
        change = Change(resize)
        while len(self._slots) > cpus:
            # Whoever has none, else who was given its unit last: that one loses the least.
            going = max(self._slots, key=lambda slot: float("inf") if slot.begun_s is None else slot.begun_s)
            self._slots.remove(going)
            if self._drops and going.begun_s is not None:
                change.lost_units += 1
                change.lost_s += time.monotonic() - going.begun_s
                self._left += 1
                self._lost += 1
                going.begun_s = None
                going.end(kill=True)
            else:
                change.going.append(going)
        # One for each unit that nobody has; more would only idle.
        while len(self._slots) < min(cpus, len(self._slots) + self._left):
            slot = Slot(self._do, self._unit_s, self.filenos)
            self._slots.append(slot)
            change.coming.append(slot)
            slot.give()
            self._left -= 1
        self._changes.append(change)
        self._settle()

    def heard(self, ready):
        """See to the workers that said something."""
        for slot in self._all:
            if slot.here.fileno() in ready and slot.hear():
                self._done += 1
        for slot in self._slots:
            if slot.begun_s is None and self._left:
                slot.give()
                self._left -= 1
        self._settle()

    def _settle(self):
        for change in [each for each in self._changes if each.is_done]:
            now_s = time.monotonic()
            paused_s = sum(now_s - slot.idle_s for slot in change.going)
            paused_s += sum(slot.up_s - change.noticed_s for slot in change.coming)
            for slot in change.going:
                slot.end()
            self._changes.remove(change)
            if change.resize is not None:
                cost = {"lost_units": change.lost_units, "lost_s": change.lost_s, "paused_s": paused_s}
                change.resize.applied(**cost)
                self._told.say(generation=change.resize.generation, **cost)

    def close(self):
        """End the workers and say what was done."""
        for slot in self._all:
            slot.end()
        self._told.say(units=self._units, done=self._done, lost=self._lost)


def _burn(unit_s):
    end = time.process_time() + unit_s
    while time.process_time() < end:
        for _ in range(100):
            pass


UNITS = {"burn": _burn, "sleep": time.sleep}

if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5])
