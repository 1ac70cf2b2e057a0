"""The API server's clock, from the `Date` of its answers: whole seconds, of which several together say more."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# How well it is known when we stop asking, and how often we ask at most.
ENOUGH_S, MOST_ASKED = 0.06, 8


@dataclass(frozen=True)
class Offset:
    """The server's clock is so many seconds ahead of this host's, give or take `uncertainty_s`."""

    seconds: float
    uncertainty_s: float

    def ns(self, at_s: float) -> int:
        """That instant of this host's clock (seconds since 1970) on the server's, in nanoseconds."""
        return round((at_s + self.seconds) * 1e9)

    def now_ns(self) -> int:
        """Now, on the server's clock."""
        return self.ns(time.time())


def measure(ask: Callable[[], tuple[str, float, float]]) -> Offset:
    """Ask for the date when the answer halves what is possible.

    A date of S, got between `before` and `after`, means that the server's clock was in [S, S + 1) somewhere in between: its
    offset is in (S - after, S + 1 - before). The next question is asked when the server's second turns if the offset is
    in the middle of what is left (bisection).

    Args:
        ask: The `Date` header, and this host's clock before and after the request.

    Raises:
        ValueError: the server gives no date, or its clock jumps.
    """
    low, high = -math.inf, math.inf
    for _ in range(MOST_ASKED):
        if high - low <= 2 * ENOUGH_S:
            break
        if math.isfinite(high - low):
            now, middle = time.time(), (low + high) / 2
            time.sleep(math.ceil(now + middle) - middle - now)
        text, before, after = ask()
        second = _seconds(text)
        low, high = max(low, second - after), min(high, second + 1 - before)
        if low >= high:
            raise ValueError("the API server's clock, or this host's, was set meanwhile: try again")
    return Offset((low + high) / 2, (high - low) / 2)


def _seconds(text: str) -> float:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError) as error:
        raise ValueError("the API server's answers have no Date by which its clock could be read") from error
    return date.replace(tzinfo=date.tzinfo or UTC).timestamp()


def ns_of(stamp: object) -> int | None:
    """Nanoseconds since 1970 of an instant as Kubernetes writes it (RFC 3339), or None."""
    if not isinstance(stamp, str):
        return None
    try:
        instant = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    whole = instant.replace(tzinfo=instant.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    ns = (whole.days * 86_400 + whole.seconds) * 1_000_000_000 + whole.microseconds * 1000
    return ns if 0 <= ns <= 2**62 else None
