"""Telling perfdb, as JSON lines on the real standard output, and the clocks that are told. See `answers.py`."""

import hashlib
import hmac
import json
import os
import re
import socket
import threading
import time

LONGEST_TROUBLE = 2000
# The real standard output is for answers; whatever else prints goes to standard error.
ANSWERS = os.dup(1)
os.dup2(2, 1)
_LOCK = threading.Lock()
# Real names of nodes, which nobody needs to know.
NAMES = set()
_NODE = re.compile(r"(\b(?:ON|on host|on node) '?|\bsrun: error: (?=[\w.-]+: tasks? ))[\w.-]+")


def answer(kind, **fields):
    """Tell one thing, whole, from any thread."""
    line = memoryview((json.dumps(dict(fields, kind=kind)) + "\n").encode())
    with _LOCK:
        try:
            while line:
                line = line[os.write(ANSWERS, line) :]
        except OSError:
            pass  # nobody listens any more: who started us sees to it that we end


def stamp():
    """Wall clock and monotonic clock, in seconds."""
    return [time.time_ns() / 1e9, time.monotonic_ns() / 1e9]


def pseudonym(key, name):
    """What stands for a name, the same in every child of the registry."""
    return hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest()[:12]


def boot_name():
    """What this boot of the kernel is called; hosts that share it share its clock."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return socket.gethostname()


def trouble(said):
    """What went wrong in few words, without the names of nodes: the end of it, for that says most."""
    if isinstance(said, BaseException):
        # A batch system's own words lie apart from the message.
        words = [str(getattr(said, name, "") or "") for name in ("stdout", "stderr")]
        said = " ".join([type(said).__name__ + ":", str(said), *(word for word in words if word not in str(said))])
    for name in sorted(NAMES, key=len, reverse=True):
        said = said.replace(name, "<node>")
    said = _NODE.sub(r"\1<node>", said)
    printable = "".join(sign if sign.isprintable() else " " for sign in said)
    line = " ".join(printable.split())
    if len(line) <= LONGEST_TROUBLE:
        return line
    cut, _, rest = line[-LONGEST_TROUBLE:].partition(" ")
    return (
        rest if "/" in cut else cut + " " + rest
    )  # the rest of a path would not be known for one, and its names be told
