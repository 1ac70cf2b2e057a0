"""The hosts' clocks against the submit host's. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from perfdb.families.autoscale.rounds.answers import Begin, Ended, Offset
from perfdb.families.autoscale.rounds.stages import Told


class Clocks:
    """What one round tells of its hosts' clocks, by boot: one that booted with us is ours, others are ahead by what was measured."""

    def __init__(self, begin: Begin | None, offsets: Mapping[str, Offset], tasks: Sequence[Ended]) -> None:
        self._ours = begin.boot if begin else None
        self.offsets = dict(offsets)
        self.uncompared = sorted({t.host for t in tasks if t.boot not in offsets and t.boot != self._ours})

    def here(self, boot: str, at: float, resolution_s: float, source: str) -> Told:
        """An instant of the clock of the host with that boot on ours."""
        offset = self.offsets.get(boot)
        if boot == self._ours or offset is None:
            return Told(at, resolution_s, source)
        return Told(at - offset.ahead_s, resolution_s, source, offset.within_s)
