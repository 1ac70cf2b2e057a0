"""What is told to perfdb, as JSON lines on the real standard output. See `events.py`."""

import json
import os
import threading
import time
from collections import Counter

# The real standard output is for answers; whatever else prints goes to standard error.
ANSWERS = os.dup(1)
os.dup2(2, 1)
LONGEST = 2000
_LOCK = threading.Lock()
# How many answers of each kind were given.
GIVEN = Counter()


def answer(kind, **fields):
    """Tell one thing, whole, from any thread."""
    line = memoryview((json.dumps(dict(fields, kind=kind), separators=(",", ":")) + "\n").encode())
    with _LOCK:
        if kind != "progress":
            GIVEN[kind] += 1
        try:
            while line:
                line = line[os.write(ANSWERS, line) :]
        except OSError:
            pass  # nobody listens any more: who started us sees to it that we end


def note(text):
    """Something that people should know."""
    answer("note", text=_one_line(text))


def end(outcome, trouble):
    """The last that is told."""
    answer("end", outcome=outcome, trouble=trouble and _one_line(trouble), given=dict(GIVEN))


def _one_line(said):
    return " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())[:LONGEST]


def now():
    """CLOCK_MONOTONIC in nanoseconds."""
    return time.monotonic_ns()


def boot():
    """What this boot of the kernel is called; hosts that share it share its clock."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()
