"""Ways to obtain cores, each labelled measured or given, set against one another. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from perfdb.families.autoscale.analysis.batch import Kind
from perfdb.families.autoscale.analysis.curves import (
    Band,
    Crossover,
    Curve,
    Overtaking,
    Range,
    crossovers,
    overtakings,
    ranges,
)
from perfdb.units import counted, significant

MEASURED, GIVEN = "measured", "given"


@dataclass(frozen=True)
class Way:
    """One way to obtain cores.

    Attributes:
        name: In short, as sentences call it: `nodes, cold`.
        about: Its size or speed, in words, for a legend.
        curve: Its cores over time; of several rounds the middle one.
        nodes: Whether it is nodes, or else a serverless platform.
        band: Of several rounds.
        kind: Whether the measured rounds were cold or warm; None of what is given.
        records: Ids of the records that were measured; none of what is given.
        given_by: Who said so, of what is given.
        facts: What else there is to say, by name.
        where: What was measured, and where.
    """

    name: str
    about: str
    curve: Curve
    nodes: bool
    band: Band | None = None
    kind: Kind | None = None
    records: tuple[str, ...] = ()
    given_by: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    where: str = ""

    @property
    def source(self) -> str:
        """`measured` or `given`."""
        return MEASURED if self.band else GIVEN

    @property
    def label(self) -> str:
        """What it is, whether it was measured or who said so, and what and where."""
        return f"{self.legend}: {self.where}" if self.where else self.legend

    @property
    def legend(self) -> str:
        """The same for a legend, which has less room: without what was measured, and where."""
        if self.band is None:
            return f"{self.name}, {self.about} (given by {self.given_by})"
        rounds = counted(len(self.band.rounds), "round")
        of = f"record {self.records[0][:8]}" if len(self.records) == 1 else counted(len(self.records), "record")
        return f"{self.name}, {self.about} (measured, median of {rounds}, {of})"

    def document(self) -> dict[str, Any]:
        """For JSON."""
        found: dict[str, Any] = {
            "name": self.name,
            "label": self.label,
            "way": "nodes" if self.nodes else "serverless",
            "source": self.source,
            **({"kind": self.kind, "records": list(self.records)} if self.band else {"given_by": self.given_by}),
            **self.facts,
            **_steps(self.curve),
        }
        if self.band:
            found["fastest"], found["slowest"] = _steps(self.band.fastest), _steps(self.band.slowest)
            found["rounds"] = [_steps(curve) for curve in self.band.rounds]
        return found


def _steps(curve: Curve) -> dict[str, Any]:
    return {"at_s": list(curve.at_s), "cores": list(curve.cores)}


@dataclass(frozen=True)
class Against:
    """Nodes against a serverless platform, up to as many cores as both come to have.

    Attributes:
        within: That many.
        by_cores: Who has so many cores earlier, and from where on; 0 is the nodes, 1 the serverless platform.
        by_time: Who has more cores, and from when on.
        over_rounds: Where the first change of each lies over the rounds, where the nodes were measured.
    """

    nodes: Way
    serverless: Way
    within: int
    by_cores: tuple[Crossover, ...]
    by_time: tuple[Overtaking, ...]
    over_rounds: tuple[Range, ...]

    @classmethod
    def of(cls, nodes: Way, serverless: Way, most: int) -> Against:
        """The two, where at most so many cores are asked for."""
        within = min(most, nodes.curve.total, serverless.curve.total)
        rounds = nodes.band.rounds if nodes.band else ()
        return cls(
            nodes,
            serverless,
            within,
            crossovers(nodes.curve, serverless.curve, most),
            overtakings(nodes.curve, serverless.curve, most),
            ranges(rounds, serverless.curve, most) if len(rounds) > 1 else (),
        )

    def sentences(self) -> Iterator[str]:
        """Who is first, and from where on."""
        names = self.nodes.name, self.serverless.name
        for place, crossing in enumerate(self.by_cores):
            mine, others = (significant(crossing.at_s[who]) for who in (crossing.faster, 1 - crossing.faster))
            yield (
                f"from {counted(crossing.cores, 'core')} on: {names[crossing.faster]} first, {mine} s against {others} s"
                f"{self._spread(crossing, place)}"
            )
        for faster in (0, 1):
            if not any(crossing.faster == faster for crossing in self.by_cores):
                yield f"{names[faster]}: never first within {counted(self.within, 'core')}{self._some_rounds(faster)}"
        for change in self.by_time[1:]:
            more, fewer = (change.cores[who] for who in (change.ahead, 1 - change.ahead))
            yield f"after {significant(change.at_s)} s: more by {names[change.ahead]}, {counted(more, 'core')} against {fewer:,}"

    def _spread(self, crossing: Crossover, place: int) -> str:
        """Where the rounds themselves have a change, if this is the first of its kind."""
        found = next((r for r in self.over_rounds if r.faster == crossing.faster), None)
        if place > 1 or not self.nodes.band or len(self.nodes.band.rounds) < 2:
            return ""
        if found is None:
            return f"; in none of {len(self.nodes.band.rounds)} rounds by itself"
        return f"; {_over(found)}"

    def _some_rounds(self, faster: int) -> str:
        found = next((r for r in self.over_rounds if r.faster == faster), None)
        return f" by the median, but {_over(found)}" if found else ""

    def document(self) -> dict[str, Any]:
        """For JSON."""
        ways = ("nodes", "serverless")
        return {
            "nodes": self.nodes.name,
            "serverless": self.serverless.name,
            "within_cores": self.within,
            "by_cores": [
                {
                    "faster": ways[c.faster],
                    "from_cores": c.cores,
                    **{f"{way}_s": at for way, at in zip(ways, c.at_s, strict=True)},
                }
                for c in self.by_cores
            ],
            "by_time": [
                {
                    "ahead": ways[c.ahead],
                    "from_s": c.at_s,
                    **{f"{way}_cores": cores for way, cores in zip(ways, c.cores, strict=True)},
                }
                for c in self.by_time
            ],
            "over_rounds": [
                {"faster": ways[r.faster], "least_cores": r.low, "most_cores": r.high, "rounds": r.rounds, "of": r.of}
                for r in self.over_rounds
            ],
        }


def _over(found: Range) -> str:
    """Where a change lies in the rounds that have it."""
    each = "each" if found.rounds == found.of else str(found.rounds)
    rounds = f"in {each} of {counted(found.of, 'round')}"
    if found.low == found.high:
        return f"{rounds} from {counted(found.low, 'core')} on"
    if found.rounds == 2:
        return f"{rounds}: from {counted(found.low, 'core')} on in one, from {found.high:,} in the other"
    return f"{rounds}: from between {found.low:,} and {found.high:,} cores on"


def together(ways: Sequence[Way], most: int) -> tuple[int, dict[str, float]]:
    """As many cores as every way comes to have, `most` at most, and by its name when each has them, in seconds."""
    cores = min([most, *(way.curve.total for way in ways)])
    times = {way.name: way.curve.time_of(cores) for way in ways}
    return cores, {name: at for name, at in times.items() if at is not None}


def set_against(ways: Sequence[Way], most: int) -> tuple[Against, ...]:
    """Each of the nodes against each of the serverless platforms."""
    return tuple(
        Against.of(nodes, serverless, most)
        for nodes in ways
        if nodes.nodes
        for serverless in ways
        if not serverless.nodes
    )
