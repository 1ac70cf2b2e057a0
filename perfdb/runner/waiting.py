"""Waiting for what a batch system does by itself: asked gently, bounded, and never silent for long."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 1.0
TOLD_EVERY_S = 60.0


def wait_until(reached: Callable[[], bool], until: float, told: Callable[[], None]) -> bool:
    """Return True once it is reached, False when time.monotonic() is past `until`.

    Args:
        reached: Asked at once, then after pauses of a quarter of a second that grow to one.
        until: On time.monotonic().
        told: Called once a minute.
    """
    pause_s, tell_at = FIRST_PAUSE_S, time.monotonic() + TOLD_EVERY_S
    while not reached():
        left_s = until - time.monotonic()
        if left_s <= 0:
            return False
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)
        if time.monotonic() >= tell_at:
            tell_at += TOLD_EVERY_S
            told()
    return True
