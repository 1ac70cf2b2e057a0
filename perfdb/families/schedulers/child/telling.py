"""What a child tells perfdb, as JSON lines on the real standard output. See `events.py`."""

import json
import os
import threading
import time
from collections import Counter

# The real standard output is for answers; whatever else prints goes to standard error.
_ANSWERS = os.dup(1)
os.dup2(2, 1)
_LONGEST = 2000
_LOCK = threading.Lock()
_GIVEN = Counter()


def answer(kind, **fields):
    """Tell one thing, whole, from any thread."""
    line = memoryview((json.dumps(dict(fields, kind=kind), separators=(",", ":")) + "\n").encode())
    with _LOCK:
        if kind != "progress":
            _GIVEN[kind] += 1
        try:
            while line:
                line = line[os.write(_ANSWERS, line) :]
        except OSError:
            pass  # nobody listens any more: who started us sees to it that we end


def note(text):
    """Something that people should know."""
    answer("note", text=one_line(text))


def end(outcome, trouble, left, ns):
    """The last that is told. `left`: what could not be ended, '' for nothing; `ns`: now, on the scheduler's clock."""
    answer(
        "end", outcome=outcome, trouble=trouble and one_line(trouble), left=one_line(left), ns=ns, given=dict(_GIVEN)
    )


def one_line(said):
    """Any text as one that fits a line."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(said)).split())[:_LONGEST]


def now():
    """Nanoseconds since 1970 by this host's clock."""
    return time.time_ns()
