"""What n hosts bear against what one bears: the scaling factor, its efficiency, and what to think of it. Pure.

factor = ceiling(n) / ceiling(1), efficiency = factor / n. Each ceiling here is the mean over its repetitions; the interval
is Fieller's for the ratio of two means, with unequal variances and Satterthwaite's degrees of freedom. A bootstrap of three
repetitions would be far too narrow.

A ceiling is known only to the next larger load that failed. `least` and `most` take that in: they are the ends of the
interval if each true ceiling lay where it suits that end most. From a grid that doubles they lie a factor 4 apart at least,
so only a finer search tells 80 % from 110 %.

Source: the bands of the efficiency are those of the OpenEnv scaling runbook.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Annotated, Literal

from pydantic import Field

from perfdb.families.scaling.analysis.ceiling import Ceiling
from perfdb.families.scaling.analysis.fieller import fieller
from perfdb.record.model import Finite, Frozen
from perfdb.units import counted

METHOD = (
    "Fieller's interval of the ratio of mean ceilings over repetitions, unequal variances; with gaps between loads (`least` to `most`): the same with each "
    "true ceiling anywhere from the load that passed to the next larger that failed"
)
GOOD_EFFICIENCY = 0.9

Judgement = Literal["look at the balancer", "near linear", "suspicious"]
Bound = Literal["exact", "at least", "at most", "unknown"]
Ratio = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Deployment(Frozen):
    """So many hosts, and what they bear.

    Attributes:
        hosts: How many serve; a balancer does not count.
        ceiling: What they bear together.
        unique_hosts: How many answered, the fewest of any cell that counts; None if nobody said.
    """

    hosts: Annotated[int, Field(ge=1)]
    ceiling: Ceiling
    unique_hosts: Annotated[int, Field(ge=0)] | None = None


class Factor(Frozen):
    """n hosts against one.

    Attributes:
        hosts: n.
        one: Mean ceiling of one host, in the ceilings' unit.
        many: Mean ceiling of n.
        factor: The ratio.
        bound: Whether that is it, or only a bound, since a largest load that was tried passed.
        low: Lower end of the factor's 95 % interval over repetitions; None with fewer than two on either side.
        high: Upper end; None too where one host's ceiling varies so much that there is none.
        least: Lower end with what the search left open besides; without repetitions from that alone.
        most: Upper end of the same; None where there is none.
        valid: False where not all hosts answered, so that n hosts were not measured.
        judgement: What to think of the efficiency; None where it is not valid or not known.
        sure: Whether all from `least` to `most` gives the same judgement.
        remarks: For people, a sentence each: what speaks against the number, and what to do.
    """

    hosts: Annotated[int, Field(ge=2)]
    one: Ratio
    many: Ratio
    factor: Ratio
    bound: Bound
    low: Ratio | None
    high: Finite | None
    least: Ratio
    most: Finite | None
    valid: bool
    judgement: Judgement | None
    sure: bool
    remarks: tuple[str, ...]

    @property
    def efficiency(self) -> float:
        """The factor over n: 1 is linear."""
        return self.factor / self.hosts

    @property
    def efficiency_interval(self) -> tuple[float | None, float | None]:
        """`low` and `high` over n."""
        return _over(self.low, self.hosts), _over(self.high, self.hosts)

    @property
    def efficiency_bounds(self) -> tuple[float, float | None]:
        """`least` and `most` over n."""
        return self.least / self.hosts, _over(self.most, self.hosts)


class NoFactor(Frozen):
    """Why there is none, and what it takes."""

    reason: str


def scaling(one: Deployment, many: Deployment) -> Factor | NoFactor:
    """What many hosts bear against one.

    Args:
        one: One host.
        many: Two or more, measured with the same wait and criterion.
    """
    if refusal := _refusal(one, many):
        return NoFactor(reason=refusal)
    singles, multis = _Ends(one.ceiling), _Ends(many.ceiling)
    bound = _bound(singles, multis)
    within = _interval(multis.passed, singles.passed)
    least = (_interval(multis.passed, singles.failed) or (_ratio(multis.passed, singles.failed),))[0]
    most = (_interval(multis.failed, singles.passed) or (_ratio(multis.failed, singles.passed),))[-1]
    factor = _ratio(multis.passed, singles.passed)
    strangers = _strangers(one, many)
    judgement = _told(bound, factor / many.hosts) if not strangers else None
    ends = {judged(end / many.hosts) for end in (least, most)}
    sure = judgement is not None and ends == {judgement}
    found = Factor(
        hosts=many.hosts,
        one=fmean(singles.passed),
        many=fmean(multis.passed),
        factor=factor,
        bound=bound,
        low=within[0] if within else None,
        high=_finite(within[1]) if within else None,
        least=least,
        most=_finite(most),
        valid=not strangers,
        judgement=judgement,
        sure=sure,
        remarks=(),
    )
    return found.model_copy(update={"remarks": (*strangers, *_remarks(found))})


def judged(efficiency: float) -> Judgement:
    """What to think of an efficiency: below 0.9 look at the balancer, above 1 it is suspicious."""
    # 2.7 / 3 is not to be below 0.9 for how a float is kept.
    efficiency = round(efficiency, 9)
    if efficiency < GOOD_EFFICIENCY:
        return "look at the balancer"
    return "near linear" if efficiency <= 1 else "suspicious"


class _Ends:
    """Of each repetition, the load that passed and the next larger that failed."""

    def __init__(self, ceiling: Ceiling) -> None:
        brackets = [one.bracket for one in ceiling.repetitions]
        self.passed = [bracket.passed or 0.0 for bracket in brackets]
        self.failed = [math.inf if bracket.failed is None else bracket.failed for bracket in brackets]
        self.open = any(bracket.failed is None for bracket in brackets)


def _ratio(numerator: Sequence[float], denominator: Sequence[float]) -> float:
    """Of the means; no infinite one stands on both sides."""
    return fmean(numerator) / fmean(denominator)


def _interval(numerator: Sequence[float], denominator: Sequence[float]) -> tuple[float, float] | None:
    finite = all(map(math.isfinite, (*numerator, *denominator)))
    return fieller(numerator, denominator) if finite and min(len(numerator), len(denominator)) > 1 else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _over(value: float | None, hosts: int) -> float | None:
    return None if value is None else value / hosts


def _bound(singles: _Ends, multis: _Ends) -> Bound:
    if singles.open:
        return "unknown" if multis.open else "at most"
    return "at least" if multis.open else "exact"


def _told(bound: Bound, efficiency: float) -> Judgement | None:
    """The judgement, where a bound tells it."""
    found = judged(efficiency)
    tells = {
        "exact": True,
        "at least": found == "suspicious",
        "at most": found == "look at the balancer",
        "unknown": False,
    }
    return found if tells[bound] else None


def _refusal(one: Deployment, many: Deployment) -> str | None:
    if one.hosts != 1 or many.hosts < 2:
        return (
            f"{one.hosts} and {many.hosts} hosts: a scaling factor is of several hosts against one; measure one alone"
        )
    a, b = one.ceiling, many.ceiling
    if (a.wait_s, a.unit, a.criterion) != (b.wait_s, b.unit, b.criterion):
        return (
            "one host and several were measured apart in wait, load or criterion: "
            f"{a.wait_s:g} s, {a.unit}, {a.criterion.text(a.wait_s)}; against {b.wait_s:g} s, {b.unit}, "
            f"{b.criterion.text(b.wait_s)}; compare ceilings of the same"
        )
    for deployment in (one, many):
        for repetition in deployment.ceiling.repetitions:
            if repetition.bracket.passed is None:
                return (
                    f"repetition {repetition.repetition} of {counted(deployment.hosts, 'host')} failed at its smallest load "
                    f"({repetition.bracket.text()} {a.unit}), so its ceiling is not known; try smaller loads"
                )
    return None


def _strangers(one: Deployment, many: Deployment) -> tuple[str, ...]:
    """Why the hosts that answered are not those that were to be measured."""
    found = []
    for deployment in (one, many):
        seen, meant = deployment.unique_hosts, deployment.hosts
        if seen is not None and seen < meant:
            found.append(
                f"invalid: {seen} of {meant} hosts answered; aim at the balancer, not at one of its workers, and see that it "
                "knows all of them (`perfdb preflight URL`)"
            )
        elif seen is not None and seen > meant:
            found.append(f"invalid: {seen} hosts answered where {meant} were to be measured; say how many serve")
    return tuple(found)


def _remarks(found: Factor) -> list[str]:
    said = []
    share = f"efficiency {100 * found.efficiency:.3g} %"
    if found.bound != "exact":
        said.append(_ON_BOUNDS[found.bound])
    if found.judgement == "look at the balancer":
        said.append(
            f"{share}, below {100 * GOOD_EFFICIENCY:g} %: look at the balancer and at the spread over the hosts"
        )
    elif found.judgement == "suspicious":
        said.append(
            f"{share}, above 100 %: suspicious; n hosts hardly bear more than n times one: see whether one host was measured "
            "with the same limits, and whether its search stopped early"
        )
    if found.valid and found.judgement and not found.sure:
        least, most = found.efficiency_bounds
        ends = f"from {100 * least:.3g} %" + (" on" if most is None else f" to {100 * most:.3g} %")
        said.append(f"repetitions and loads leave the efficiency open {ends}: search finer, and repeat more often")
    return said


_ON_BOUNDS: Mapping[Bound, str] = {
    "at least": "the largest load that was tried against all hosts passed: the factor is at least this; try larger loads",
    "at most": "the largest load that was tried against one host passed: the factor is at most this; try larger loads",
    "unknown": "the largest loads that were tried passed, against one host and against all: nothing follows; try larger ones",
}
