"""Whether a load measured the service, or the client that was to load it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from perfdb.families.scaling.clients.merge import Load


@dataclass(frozen=True)
class Limits:
    """What a client may be behind before what it says of the service is not believed.

    Attributes:
        send_lag_p99_s, send_lag_max_s: Sessions sent after their schedule.
        tick_lag_max_s: A stall at any time.
        busy_s: The longest time without a look at what had arrived.
        cpu_share: Of its core, in its busiest second.
    """

    send_lag_p99_s: float = 0.1
    send_lag_max_s: float = 0.5
    tick_lag_max_s: float = 0.5
    busy_s: float = 0.25
    cpu_share: float = 0.9


def why_saturated(load: Load, limits: Limits) -> tuple[str, ...]:
    """Each limit that was passed, in words; none where the client kept up."""
    measured = []
    if load.send_lag is not None:
        measured.append(("the 99th percentile of the send lag", load.send_lag.p99_s, limits.send_lag_p99_s, " s"))
        measured.append(("the longest send lag", load.send_lag.max_s, limits.send_lag_max_s, " s"))
    if load.tick_lag is not None:
        measured.append(("the longest stall", load.tick_lag.max_s, limits.tick_lag_max_s, " s"))
    measured.append(("the longest time without a look at what had arrived", load.longest_busy_s, limits.busy_s, " s"))
    measured.append(("the busiest second's share of a core", load.highest_cpu_share, limits.cpu_share, ""))
    return tuple(
        f"{what} was {value:.3f}{unit}, more than {limit:g}{unit}"
        for what, value, limit, unit in measured
        if value > limit
    )
