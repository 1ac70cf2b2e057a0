"""How evenly a balancer spread sessions over hosts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from perfdb.record.model import Frozen
from perfdb.units import counted

EVEN_SPREAD = 0.05
# Dealt at random, hosts would be loaded as unevenly in less than one load of so many.
SELDOM = 1000

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class HostRow(Frozen):
    """One host: how many sessions it answered, and their share of all."""

    host: str
    sessions: Count
    share: Share


class Distribution(Frozen):
    """Sessions over hosts.

    Attributes:
        rows: Each host that answered, the busiest first.
        expected_hosts: How many were to answer.
        silent: How many of those did not; each counts as a host of no session below.
        spread: (max - min) / mean of the hosts' sessions; 0 is even.
        chi_square_p: How often sessions that are dealt to hosts at random would be spread as unevenly or more (Pearson's
            chi-square, one degree of freedom less than hosts). A balancer that takes turns is more even than chance, so
            its p is near 1; a p near 0 says that hosts are favoured. None for a single host.
    """

    rows: tuple[HostRow, ...]
    expected_hosts: Annotated[int, Field(ge=1)]
    silent: Count
    spread: Annotated[float, Field(ge=0)]
    chi_square_p: Share | None

    @property
    def even(self) -> bool:
        """Whether as many answered as were expected, and the spread is at most 5 %."""
        return len(self.rows) == self.expected_hosts and self.spread <= EVEN_SPREAD

    @property
    def chance_does_it(self) -> bool:
        """Whether hosts that are picked at random would be loaded as unevenly, more often than seldom: few sessions are."""
        return (self.chi_square_p or 0.0) * SELDOM >= 1

    def text(self) -> str:
        """In a line, for people."""
        answered = f"{len(self.rows)} of {counted(self.expected_hosts, 'host')} answered"
        if (all_answered := len(self.rows) == self.expected_hosts) and self.chi_square_p is None:
            return answered
        word = "no more uneven than chance" if all_answered and self.chance_does_it else "uneven"
        return f"{'even' if self.even else word}: {answered}, spread {100 * self.spread:.3g} %"


def distribution(sessions: Mapping[str, int], expected_hosts: int) -> Distribution | None:
    """How sessions were spread; None where no host answered any.

    Args:
        sessions: By host, the sessions that it answered.
        expected_hosts: How many hosts serve, at least 1.

    Source: K. Pearson, Philosophical Magazine 50 (1900), for chi-square.
    """
    answered = {host: count for host, count in sessions.items() if count}
    total = sum(answered.values())
    if not total:
        return None
    silent = max(0, expected_hosts - len(answered))
    counts = [*answered.values(), *[0] * silent]
    mean = total / len(counts)
    busiest_first = sorted(answered.items(), key=lambda item: (-item[1], item[0]))
    return Distribution(
        rows=tuple(HostRow(host=host, sessions=count, share=count / total) for host, count in busiest_first),
        expected_hosts=expected_hosts,
        silent=silent,
        spread=(max(counts) - min(counts)) / mean,
        chi_square_p=_chi_square_p(counts, mean) if len(counts) > 1 else None,
    )


def _chi_square_p(counts: list[int], mean: float) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(len(counts) - 1, sum((count - mean) ** 2 for count in counts) / mean))
