"""What jobs say of their resizes: one small file each, and a datagram that says that it is there."""

import json
import os
import socket
import threading
import time

# A shared disk tells nobody of a change.
LOOK_S = 0.02
_LONGEST_ANSWER = 1 << 16


class Answers:
    """Wakes whoever waits for the answers of jobs.

    hints: the path of the socket that jobs write to. A job on another host can't, and is looked at now and then.
    """

    def __init__(self, folder):
        self._news = threading.Condition()
        self._count = 0
        self.hints = os.path.join(os.path.abspath(folder), "hints.sock")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # By its open folder: a socket's path has 107 bytes at most.
        opened = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        self._socket.bind(f"/proc/self/fd/{opened}/hints.sock")
        os.close(opened)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                self._socket.recv(4096)
            except OSError:
                return
            self.poke()

    @property
    def count(self):
        """How much news there was so far."""
        with self._news:
            return self._count

    def poke(self):
        """Wake whoever waits: there is other news."""
        with self._news:
            self._count += 1
            self._news.notify_all()

    def wait_beyond(self, count, seconds):
        """Until there is more news than that, or so many seconds are over."""
        with self._news:
            self._news.wait_for(lambda: self._count != count, timeout=max(0.0, seconds))

    def wait(self, found, seconds):
        """What `found` returns once that is true, or when so many seconds are over.

        It is called again after each hint, and now and then besides.
        """
        deadline = time.monotonic() + seconds
        while True:
            count = self.count
            answer = found()
            left = deadline - time.monotonic()
            if answer or left <= 0:
                return answer
            # News that came while we looked is not waited for.
            self.wait_beyond(count, min(LOOK_S, left))


def read(path):
    """What a job says: `acknowledged` and `applied`, each (generation, ns) or None, and `cost`, (generation, lost units, lost
    ns, paused ns) or None. None as long as it has not registered.
    """
    try:
        with open(path, "rb") as file:
            said = json.loads(file.read(_LONGEST_ANSWER).decode("utf-8", "replace"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not _numbers([said.get("pid")], 1):
        return None
    return {
        "acknowledged": _numbers(said.get("acknowledged"), 2),
        "applied": _numbers(said.get("applied"), 2),
        "cost": _numbers(said.get("cost"), 4),
    }


def _numbers(value, count):
    # A job is not to be trusted with more than its own times.
    if not isinstance(value, list) or len(value) != count:
        return None
    return tuple(value) if all(type(one) is int and 0 <= one < 2**62 for one in value) else None
