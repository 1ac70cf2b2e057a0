"""What a load client says, as JSON lines on the real standard output. See `clients/answers.py`."""

import hashlib
import hmac
import json
import os
import threading
from collections import Counter

# The real standard output is for answers; whatever else prints goes to standard error.
ANSWERS = os.dup(1)
os.dup2(2, 1)
_LOCK = threading.Lock()
# A line is read up to 64 KiB, and a log up to 16 MiB; the rows are the last that is told.
ROWS_A_LINE = 300
CHANGES_A_LINE = 3000
NAMES_A_LINE = 20
MOST_ROWS = 100_000  # of all clients
# How many answers of each kind were given.
GIVEN = Counter()


def answer(kind, **fields):
    """Tell one thing, whole."""
    GIVEN[kind] += 1
    line((json.dumps(dict(fields, kind=kind), separators=(",", ":")) + "\n").encode())


def line(data):
    """Tell a whole line, from any thread."""
    left = memoryview(data)
    with _LOCK:
        try:
            while left:
                left = left[os.write(ANSWERS, left) :]
        except OSError:
            pass  # nobody listens any more: who started us sees to it that we end


def pseudonym(key, name):
    """What stands for a name, the same in every child of the registry."""
    return hmac.new(key.encode(), name.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:12]


class Table:
    """Texts that many rows share: each gets a number, in order."""

    def __init__(self):
        self.texts = {}

    def number(self, text):
        """Of this text, None of None."""
        return None if text is None else self.texts.setdefault(text, len(self.texts))
