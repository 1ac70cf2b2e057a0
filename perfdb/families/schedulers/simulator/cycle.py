"""How often a scheduler looks at its queue, from when it gave jobs their nodes. Pure.

One that looks every so often gives nodes at moments that lie whole cycles apart, and a job waits for the next of them between
nothing and a whole cycle. One that acts at once, or after the same delay always, has no cycle, even if the jobs come and go in a
rhythm of their own: its moments keep that rhythm no better than those at which the jobs could have been given nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perfdb.families.quantile import quantile

# Shorter ones are lost in what a start takes anyway.
_SHORTEST_S = 0.05
_FEWEST_LOOKS = 4
_LEAST_COHERENCE = 0.9
_STEPS = 2000
_ROUNDING = 1e-9


class Look(NamedTuple):
    """A job was given its nodes: when it could have been, and when it was."""

    could_s: float
    at_s: float


def cycle_s(runs: Sequence[Sequence[Look]]) -> float:
    """The cycle in seconds, of looks in several runs; 0 where there is none to be seen.

    It is between the upper quartile of the waits and twice that: the shortest there at which the moments of each run lie at one
    phase, that is where the length of the mean of exp(2πi t / cycle) is at a peak of at least 0.9, taken as the median over runs;
    and of the moments at which jobs could have been given nodes that length must be further from 1, twice as far at least.
    """
    known = [run for run in runs if len({look.at_s for look in run}) >= _FEWEST_LOOKS]
    if not known:
        return 0.0
    shortest = median(quantile([look.at_s - look.could_s for look in run], 0.75) for run in known)
    if shortest < _SHORTEST_S:
        return 0.0
    cycles = np.linspace(shortest, 2 * shortest, _STEPS)
    coherence = _coherence([[look.at_s for look in run] for run in known], cycles)
    (coherent,) = np.nonzero(coherence >= _LEAST_COHERENCE)
    if not len(coherent):
        return 0.0
    # Those that follow on the first without a gap are its peak.
    ends = np.nonzero(np.diff(coherent) > 1)[0]
    peak = coherent[: ends[0] + 1] if len(ends) else coherent
    best = peak[np.argmax(coherence[peak])]
    (rhythm,) = _coherence([[look.could_s for look in run] for run in known], cycles[best : best + 1])
    return float(cycles[best]) if 2 * (1 - coherence[best]) <= 1 - rhythm - _ROUNDING else 0.0


def _coherence(runs: Sequence[Sequence[float]], cycles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each cycle 1 where all moments of a run lie at one phase, near 0 where they lie anywhere; the median over runs."""
    found = [np.abs(np.exp(2j * np.pi * np.unique(run) / cycles[:, np.newaxis]).mean(axis=1)) for run in runs]
    return np.asarray(np.median(found, axis=0))
