"""The Universal Scalability Law, fitted to what so many hosts bear. Pure.

X(n) = lambda n / (1 + sigma (n - 1) + kappa n (n - 1)): lambda is what one host bears, sigma the share of work that hosts must
take turns at (contention), kappa what each pair of hosts costs (coherency). With kappa above zero there is a number of hosts
beyond which more bear less.

Sources: N. J. Gunther, Guerrilla Capacity Planning, Springer 2007 (doi 10.1007/978-3-540-31010-5), chapters 4 to 6; the
interval is the percentile bootstrap of Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13, over
deviations widened as in Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 2.3.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from perfdb.record.model import Finite, Frozen
from perfdb.units import significant

if TYPE_CHECKING:
    import numpy

FEWEST_POINTS = 3
RESAMPLES = 400
CONFIDENCE = 0.95
METHOD = "bootstrap over repetitions"
# The optimiser stops short of a bound: below this, sigma, and what kappa costs at the largest n, are zero.
_ZERO = 1e-9

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


class Point(Frozen):
    """What so many hosts bear.

    Attributes:
        n: Hosts.
        values: One for each repetition, at least one, each above zero, in any one unit: ceilings, or sessions/s.
    """

    n: Annotated[int, Field(ge=1)]
    values: Annotated[tuple[Positive, ...], Field(min_length=1)]


class Spread(Frozen):
    """A 95 % interval; no `high` where it has no upper end."""

    low: Finite
    high: Finite | None


class Law(Frozen):
    """One curve.

    Attributes:
        one: lambda, what one host bears, in the values' unit.
        contention: sigma, from 0 to 1: it is a share of the work.
        coherency: kappa, at least 0.
    """

    one: Positive
    contention: Share
    coherency: Annotated[float, Field(ge=0, allow_inf_nan=False)]

    def at(self, n: float) -> float:
        """X(n), in the values' unit."""
        return self.one * n / (1 + self.contention * (n - 1) + self.coherency * n * (n - 1))

    @property
    def peak_hosts(self) -> float | None:
        """The number of hosts that bears most, sqrt((1 - sigma) / kappa), at least 1; None where more hosts always bear more."""
        return max(1.0, math.sqrt((1 - self.contention) / self.coherency)) if self.coherency else None


class Fit(Frozen):
    """The law that fits best, and how sure that is.

    Attributes:
        points: Distinct numbers of hosts, in order.
        largest_n: The largest of them: what the law says beyond is extrapolated.
        one_interval: Of lambda. None, like the others, where not every point has two repetitions.
        contention_interval: Of sigma.
        coherency_interval: Of kappa.
        peak_interval: Of the peak; without `high` where some resamples have none, None where nearly all have none.
        deviations: How far each point's mean lies above the law, as a share of the law; in the order of `points`.
        exact: Whether there are as many points as parameters, so that the law passes through each and nothing says
            whether it holds.
    """

    law: Law
    points: tuple[int, ...]
    largest_n: int
    one_interval: Spread | None
    contention_interval: Spread | None
    coherency_interval: Spread | None
    peak_interval: Spread | None
    deviations: tuple[Finite, ...]
    exact: bool

    @property
    def peak_extrapolated(self) -> bool:
        """Whether the peak lies beyond what was measured."""
        peak = self.law.peak_hosts
        return peak is not None and peak > self.largest_n

    def text(self) -> str:
        """In a line, for people."""
        law = self.law
        said = [
            f"one host bears {significant(law.one)}{_interval(self.one_interval)}",
            f"contention {significant(law.contention)}{_interval(self.contention_interval)}",
            f"coherency {significant(law.coherency)}{_interval(self.coherency_interval)}",
        ]
        if law.peak_hosts is None:
            said.append("more hosts always bear more")
        else:
            beyond = ", beyond what was measured" if self.peak_extrapolated else ""
            said.append(
                f"most at {significant(law.peak_hosts)} hosts{_interval(self.peak_interval)}: {significant(law.at(law.peak_hosts))}{beyond}"
            )
        if self.exact:
            said.append("as many points as parameters, so nothing says whether it holds")
        return "; ".join(said)


def _interval(spread: Spread | None) -> str:
    if spread is None:
        return ""
    return f" ({significant(spread.low)} to {'∞' if spread.high is None else significant(spread.high)})"


class NoFit(Frozen):
    """Why there is no fit, and what it takes."""

    reason: str


def fitted(points: Sequence[Point], seed: int = 0, resamples: int = RESAMPLES) -> Fit | NoFit:
    """The law by least squares over all repetitions' values, with 95 % intervals.

    A resample draws, for each point, as many values as it has: the point's mean, times a deviation that any point's any
    repetition had from its own mean. The deviations are taken together, since three repetitions of one point are too few
    to draw from, and widened by sqrt(m / (m - 1)), since a mean of m lies too near to each of them.

    Args:
        points: In any order; several of one n are taken together.
        seed: Of the resampling.
        resamples: How many; 0 for no intervals.
    """
    together: dict[int, list[float]] = {}
    for point in sorted(points, key=lambda point: point.n):
        together.setdefault(point.n, []).extend(point.values)
    if len(together) < FEWEST_POINTS:
        measured = ", ".join(map(str, together)) or "none"
        return NoFit(
            reason=f"the Universal Scalability Law has three parameters and takes {FEWEST_POINTS} numbers of hosts at least; "
            f"measured: {measured}. Measure more numbers of hosts"
        )
    law = _law(together)
    laws = _resampled(together, seed, resamples) if min(map(len, together.values())) > 1 else []
    return Fit(
        law=law,
        points=tuple(together),
        largest_n=max(together),
        one_interval=_spread([one.one for one in laws]),
        contention_interval=_spread([one.contention for one in laws]),
        coherency_interval=_spread([one.coherency for one in laws]),
        peak_interval=_spread([math.inf if one.peak_hosts is None else one.peak_hosts for one in laws]),
        deviations=tuple(fmean(of) / law.at(n) - 1 for n, of in together.items()),
        exact=len(together) == FEWEST_POINTS,
    )


def _resampled(together: dict[int, list[float]], seed: int, resamples: int) -> list[Law]:
    means = {n: fmean(of) for n, of in together.items()}
    deviations = [
        (value / means[n] - 1) * math.sqrt(len(of) / (len(of) - 1)) for n, of in together.items() for value in of
    ]
    draw = random.Random(seed)  # noqa: S311 - it resamples, it keeps no secret
    smallest = min(means.values()) * 1e-6
    return [
        _law(
            {
                n: [max(smallest, means[n] * (1 + deviation)) for deviation in draw.choices(deviations, k=len(of))]
                for n, of in together.items()
            }
        )
        for _ in range(resamples)
    ]


def _law(together: dict[int, list[float]]) -> Law:
    """Least squares over all values, which are the means' least squares weighted by how many values they are of."""
    import numpy as np
    from scipy.optimize import least_squares

    n = np.array(list(together), dtype=float)
    means = np.array([fmean(of) for of in together.values()])
    largest = float(means.max())
    # One scale for all units and sizes: of X its largest, of kappa what it costs at the largest n.
    terms = _Terms(n, means / largest, np.sqrt([len(of) for of in together.values()]), float(n.max() * (n.max() - 1)))
    found = least_squares(
        terms.residuals, terms.start(), bounds=([0, 0], [1, np.inf]), ftol=1e-12, xtol=1e-12, gtol=1e-12
    )
    contention, cost = (float(value) if value > _ZERO else 0.0 for value in found.x)
    return Law(one=terms.one(found.x) * largest, contention=contention, coherency=cost / terms.pairs)


@dataclass(frozen=True)
class _Terms:
    """The law at the points: sigma and kappa are searched, and for each of them the best lambda is known."""

    n: numpy.ndarray[Any, Any]
    x: numpy.ndarray[Any, Any]
    weights: numpy.ndarray[Any, Any]
    pairs: float

    def residuals(self, parameters: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
        left: numpy.ndarray[Any, Any] = self.one(parameters) * self._shape(parameters) - self.weights * self.x
        return left

    def one(self, parameters: numpy.ndarray[Any, Any]) -> float:
        shape = self._shape(parameters)
        return float(shape @ (self.weights * self.x) / (shape @ shape))

    def _shape(self, parameters: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
        contention, cost = parameters
        more = self.n - 1
        shape: numpy.ndarray[Any, Any] = (
            self.weights * self.n / (1 + contention * more + cost / self.pairs * self.n * more)
        )
        return shape

    def start(self) -> list[float]:
        """From n/X, which is linear in 1 / lambda, sigma / lambda and kappa / lambda: near the best, and never negative."""
        import numpy as np
        from scipy.optimize import nnls

        more = self.n - 1
        scale = self.weights * self.x**2 / self.n
        columns = np.stack([np.ones_like(self.n), more, self.n * more / self.pairs], axis=1)
        constant, contention, cost = nnls(columns * scale[:, None], self.n / self.x * scale)[0]
        return [min(1.0, contention / constant), min(1e6, cost / constant)] if constant > 0 else [1.0, 1.0]


def _spread(values: Sequence[float]) -> Spread | None:
    """From the value above 2.5 % of the resamples to the one below as many; what has no end lies above all others."""
    if not values:
        return None
    ordered = sorted(values)
    outside = int(len(ordered) * (1 - CONFIDENCE) / 2)
    low, high = ordered[outside], ordered[-1 - outside]
    return Spread(low=low, high=high if math.isfinite(high) else None) if math.isfinite(low) else None
