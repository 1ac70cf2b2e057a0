"""Texts that would be too long for a record. Pure."""

from __future__ import annotations


def clipped(log: bytes, most: int) -> bytes:
    """The head and the tail of a log of UTF-8 lines, cut at line ends, with a line between that says how much is missing."""
    if len(log) <= most:
        return log
    head, tail = log[: most // 2], log[len(log) - most // 2 :]
    head = head[: head.rfind(b"\n") + 1]
    tail = tail.partition(b"\n")[2]
    return head + b"[perfdb: %d bytes left out here]\n" % (len(log) - len(head) - len(tail)) + tail
