"""The managers that the interchange has taken in, from its own log."""

import glob
import os
import re
import time

import telling

_REGISTERED = re.compile(r"Registration info for manager b?'?([^':\s]+)'?: (\{.*)")
_FIELD = r"'%s': (?:'([^']*)'|(\d+))"
_REFUSED = "has incompatible version info"


class InterchangeLog:
    """Read piece by piece: it is asked for again and again while others measure."""

    def __init__(self, run_dir, label):
        self._pattern = os.path.join(glob.escape(run_dir), "*", glob.escape(label), "interchange.log")
        self._read = {}  # path: bytes
        self._found = []

    def managers(self):
        """A dictionary for each: `pool`, `block`, `at` (epoch seconds, the log's resolution), `capacity` (tasks it takes)."""
        for path in sorted(glob.glob(self._pattern)):
            try:
                with open(path, "rb") as file:
                    file.seek(self._read.get(path, 0))
                    whole = file.read().rpartition(b"\n")[0]
            except OSError:
                continue
            if whole:
                self._read[path] = self._read.get(path, 0) + len(whole) + 1
                for line in whole.decode("utf-8", "replace").split("\n"):
                    self._take(line)
        return self._found

    def _take(self, line):
        if _REFUSED in line and self._found:
            self._found.pop()
        match = _REGISTERED.search(line)
        at = _written_at(line) if match else None
        if at is None:
            return
        host = _field(match[2], "hostname")
        if host:
            telling.NAMES.add(host)
        capacity = _field(match[2], "max_capacity") or _field(match[2], "worker_count") or "1"
        block = _field(match[2], "block_id") or ""
        self._found.append({"pool": match[1], "block": block, "at": at, "capacity": int(capacity)})


def _field(text, name):
    match = re.search(_FIELD % name, text)
    return match and (match[1] if match[1] is not None else match[2])


def _written_at(line):
    """The time that a line begins with: an epoch, or local time in older releases."""
    try:
        return float(line.split(" ", 1)[0])
    except ValueError:
        pass
    match = re.match(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[.,](\d{1,6})", line)
    if match is None:
        return None
    return time.mktime(time.strptime(match[1], "%Y-%m-%d %H:%M:%S")) + float("0." + match[2])
