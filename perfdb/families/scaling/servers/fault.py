"""What a fault in the middle of a load cost. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from perfdb.families.scaling.clients.merge import Load

# The service has recovered if that long every session succeeded.
WELL_S = 1.0
_US = 1e6


@dataclass(frozen=True)
class Cost:
    """Of one fault; each is None where it is not known, or did not come about within the load.

    Attributes:
        lost: Failed sessions whose life overlaps with the fault or follows it.
        eject_s: From the fault until the balancer told of a healthy backend less.
        recover_s: From the fault until the moment that the last lost session was scheduled for, 0 where that was before it;
            not within the load unless every session of another second succeeded.
        readmit_s: From the fault until the balancer told that all backends were healthy again.
    """

    lost: int | None
    eject_s: float | None
    recover_s: float | None
    readmit_s: float | None


def cost_of(load: Load) -> Cost | None:
    """What the load's fault cost; None where there was none: none was asked for, or its command did not do its work."""
    fault = load.server.fault
    if fault is None or fault.code != 0:
        return None
    ended = [(one.row.scheduled_us / _US, one) for one in load.told]
    lost = [
        scheduled
        for scheduled, one in ended
        if one.row.outcome != "ok" and scheduled + one.row.total_us / _US >= fault.at_s
    ]
    # Rows that were left out may have been lost as well.
    all_known = load.complete and not load.left_out
    last = max(lost, default=fault.at_s)
    went_on = bool(ended) and max(scheduled for scheduled, _ in ended) >= max(last, fault.at_s) + WELL_S
    return Cost(
        lost=len(lost) if all_known else None,
        eject_s=None if fault.ejected_s is None else fault.ejected_s - fault.at_s,
        recover_s=max(0.0, last - fault.at_s) if all_known and went_on else None,
        readmit_s=None if fault.readmitted_s is None else fault.readmitted_s - fault.at_s,
    )
