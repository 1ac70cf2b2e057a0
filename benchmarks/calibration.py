"""The interval of a ratio, calibrated: how often each candidate is wrong, and how often it finds what is there.

A case: runs that scatter by 3 % from one to the next, each the median of 20 samples that scatter by 3 % within it, with
and without 5 % of all runs 30 % slow. The chosen interval is `perfdb/compare/statistics.py` itself, and what it calls
is what `perfdb/compare/verdict.py` says of it. Exit code 1 if the chosen one misses a bound.

    python benchmarks/statistics.py [--cases N] [--seed S]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from perfdb.compare.comparison import Interval
from perfdb.compare.statistics import mann_whitney_p, ratio_interval
from perfdb.compare.verdict import verdict

NOISE = 0.03
SAMPLES = 20
SLOW_SHARE = 0.05
SLOW = 1.30
RUNS = (5, 10)
EDGES = (0.95, 1.05)
SMALL = (0.90, 1 / 1.10, 1.10)
LARGE = (0.85, 1 / 1.15, 1.15)
BCA_RESAMPLES = 1999
CASES_A_CHUNK = 100
CHOSEN = "Hodges-Lehmann"

Array = Any
# From baseline and other values, a row a case, to the lower and upper ends of the ratio's interval.
Candidate = Callable[[Array, Array], tuple[Array, Array]]


def simulated(rng: np.random.Generator, cases: int, runs: int, ratio: float, *, slow: bool) -> tuple[Array, Array]:
    """Times of runs, a row a case: the baseline's, and the other side's, which are `ratio` times as long."""
    levels = np.exp(rng.normal(0, NOISE, (2, cases, runs)))
    if slow:
        levels *= np.where(rng.random(levels.shape) < SLOW_SHARE, SLOW, 1.0)
    within = np.median(np.exp(rng.normal(0, NOISE, (*levels.shape, SAMPLES))), axis=-1)
    times = levels * within
    return times[0], times[1] * ratio


def hodges_lehmann(baseline: Array, other: Array) -> tuple[Array, Array]:
    """Ours."""
    found = [ratio_interval(b, o) for b, o in zip(baseline.tolist(), other.tolist(), strict=True)]
    ends = np.array([(interval.low, interval.high) for interval in found if interval is not None])
    return ends[:, 0], ends[:, 1]


def welch(baseline: Array, other: Array) -> tuple[Array, Array]:
    """Welch's t on the logarithms."""
    found = stats.ttest_ind(np.log(other), np.log(baseline), axis=1, equal_var=False).confidence_interval(0.95)
    return np.exp(found.low), np.exp(found.high)


def bca(baseline: Array, other: Array) -> tuple[Array, Array]:
    """The bias-corrected and accelerated bootstrap of the ratio of medians."""

    def ratio(b: Array, o: Array, axis: int) -> Array:
        return np.median(o, axis=axis) / np.median(b, axis=axis)

    lows, highs = [], []
    for start in range(0, len(baseline), CASES_A_CHUNK):
        part = slice(start, start + CASES_A_CHUNK)
        with np.errstate(all="ignore"):
            found = stats.bootstrap(
                (baseline[part], other[part]),
                ratio,
                n_resamples=BCA_RESAMPLES,
                axis=1,
                vectorized=True,
                paired=False,
                method="BCa",
                rng=np.random.default_rng(start),
            ).confidence_interval
        # Where all resamples agree, its correction is no number.
        lows.append(np.nan_to_num(found.low, nan=0.0))
        highs.append(np.nan_to_num(found.high, nan=np.inf))
    return np.concatenate(lows), np.concatenate(highs)


CANDIDATES: Mapping[str, Candidate] = {CHOSEN: hodges_lehmann, "Welch on logs": welch, "BCa of medians": bca}


@dataclass(frozen=True)
class Line:
    """What one candidate did with the cases of one kind, as shares of them."""

    candidate: str
    runs: int
    slow: bool
    ratio: float
    coverage: float
    directional: float
    equivalent: float

    def broken(self) -> Iterator[str]:
        """The bounds that it misses."""
        if not 0.93 <= self.coverage <= 0.97:
            yield "coverage 93-97 %"
        if self.ratio in EDGES and self.directional > 0.05:
            yield "directional calls at the edge at most 5 %"
        if self.ratio in EDGES and self.equivalent > 0.05:
            yield "`equivalent` at the edge at most 5 %"
        if self.runs == 10 and not self.slow and self.ratio in SMALL and self.directional < 0.85:
            yield "10 % called in at least 85 %"
        if self.runs == 10 and not self.slow and self.ratio in LARGE and self.directional < 0.99:
            yield "15 % called in at least 99 %"


def calls(baseline: Array, other: Array, low: Array, high: Array) -> tuple[float, float]:
    """The shares that our verdict calls better or worse, and equivalent."""
    found = []
    for b, o, least, most in zip(baseline.tolist(), other.tolist(), low, high, strict=True):
        if not (0 < least <= most < np.inf):
            found.append("undecided")
            continue
        interval = Interval(ratio=(least * most) ** 0.5, low=least, high=most, confidence=0.95, method="")
        found.append(verdict(interval, mann_whitney_p(b, o), "lower"))
    return sum(v in ("better", "worse") for v in found) / len(found), found.count("equivalent") / len(found)


def lines(names: Sequence[str], cases: int, seed: int) -> Iterator[Line]:
    """Every candidate on every kind of case; all see the same ones."""
    for number, (slow, runs, ratio) in enumerate(
        (slow, runs, ratio) for slow in (False, True) for runs in RUNS for ratio in (1.0, *EDGES, *SMALL, *LARGE)
    ):
        baseline, other = simulated(np.random.default_rng((seed, number)), cases, runs, ratio, slow=slow)
        for name in names:
            low, high = CANDIDATES[name](baseline, other)
            coverage = float(np.mean((low <= ratio) & (ratio <= high)))
            yield Line(name, runs, slow, ratio, coverage, *calls(baseline, other, low, high))


def main() -> None:
    """Print a line for each; say which bounds are missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=4)
    asked = parser.parse_args()
    began = time.perf_counter()
    missed = []
    print(f"{asked.cases} cases a line, seed {asked.seed}; shares in %\n")
    print(f"{'candidate':<16} runs  slow runs  true ratio  coverage  better or worse  equivalent")
    for line in lines(list(CANDIDATES), asked.cases, asked.seed):
        broken = list(line.broken())
        slow = "5 %" if line.slow else "none"
        print(
            f"{line.candidate:<16} {line.runs:>4} {slow:>10} {line.ratio:>11.3f} {100 * line.coverage:>9.1f} "
            f"{100 * line.directional:>16.1f} {100 * line.equivalent:>11.1f}  {'; '.join(broken)}".rstrip(),
            flush=True,
        )
        missed += [f"{line.runs} runs, ratio {line.ratio:.3f}: {words}" for words in broken if line.candidate == CHOSEN]
    print(f"\n{time.perf_counter() - began:.0f} s")
    for words in missed:
        print(f"MISSED by {CHOSEN}: {words}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
