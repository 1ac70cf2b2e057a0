"""The nodes that clients ran on, by what each load's child tells of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from perfdb.families.base import ChildRun
from perfdb.families.scaling.clients.answers import Begin, read_answers
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.record import Check, Finding, Host, Metric, MetricDefinition
from perfdb.units import counted, duration

METRIC = "client_nodes"
DEFINITION = MetricDefinition(
    "nodes", "none", "nodes that shared the load with fewest of them, of those that told of it"
)
# A clock that is further off is kept by nobody: it may be put right in the middle of a load.
MOST_OFFSET_S = 0.05
_Pseudonym = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
_Seconds = Annotated[float, Field(ge=-1e10, le=1e10, allow_inf_nan=False)]


class ClientNode(BaseModel):
    """A node that did its share: `clients` of them, `client` the first. Its clock is `ahead_s` of ours, `within_s` at most off that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["client_node"]
    client: Annotated[int, Field(ge=0, lt=10_000)]
    clients: Annotated[int, Field(ge=1, le=10_000)]
    node: _Pseudonym
    boot: _Pseudonym
    ahead_s: _Seconds | None
    within_s: Annotated[float, Field(ge=0, le=1e10, allow_inf_nan=False)] | None
    facts: dict[str, Any] | None

    @property
    def off_s(self) -> float | None:
        """The most that its clock may be off ours."""
        return None if self.ahead_s is None or self.within_s is None else abs(self.ahead_s) + self.within_s


def nodes_of(run: ChildRun) -> tuple[ClientNode, ...]:
    """Those that a load's child tells of."""
    found = []
    for line in run.log.stdout:
        if '"client_node"' not in line.text:
            continue
        try:
            found.append(ClientNode.model_validate_json(line.text))
        except ValidationError:
            continue
    return tuple(found)


def checks(spec: ScalingSpec, runs: Sequence[ChildRun]) -> Iterator[Check]:
    """Whether all nodes' clients began together, as far as that matters."""
    if spec.clients_on is None or spec.shape not in ("burst", "barrier"):
        return
    faults = []
    for run in runs:
        for node in nodes_of(run):
            if node.off_s is None or node.off_s > MOST_OFFSET_S:
                by = "nobody knows how much" if node.off_s is None else f"{node.off_s:.3f} s"
                faults.append(
                    f"{run.log.name}: the clock of node {node.node} may be off by {by}, over {MOST_OFFSET_S:g} s"
                )
        begins = read_answers(tuple(line for line in run.log.stdout if '"begin"' in line.text))
        late = [begin.late_s for begin in begins if isinstance(begin, Begin) and begin.late_s > 0]
        if late:
            faults.append(
                f"{run.log.name}: {counted(len(late), 'client')} came late to the beginning, by up to {max(late):.3f} s"
            )
    more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
    yield Check(
        name="clients_began_together",
        passed=not faults,
        detail="; ".join(faults[:5]) + more
        if faults
        else "every client was ready when the load began, by clocks that agree",
    )


def findings(spec: ScalingSpec, runs: Sequence[ChildRun]) -> Iterator[Finding]:
    """How many nodes there were, and how well their clocks agreed."""
    loads = [nodes for run in runs if (nodes := nodes_of(run))]
    if spec.clients_on is None or not loads:
        return
    most = counted(max(len(nodes) for nodes in loads), "node")
    machines = {node.boot for nodes in loads for node in nodes}
    offsets = [node.off_s for nodes in loads for node in nodes if node.off_s is not None]
    clocks = (
        f"at most {duration(max(offsets))} off the submit host's, the error of that included" if offsets else "unknown"
    )
    yield Finding(
        name=METRIC,
        value=most,
        evidence=f"{counted(spec.clients, 'client')} on {most} of {spec.clients_on}, on {counted(len(machines), 'machine')}; their "
        f"clocks: {clocks}",
    )


def metrics(runs: Sequence[ChildRun]) -> Iterator[Metric]:
    """How many nodes shared a load."""
    counts = [len(nodes) for run in runs if (nodes := nodes_of(run))]
    if counts:
        yield Metric(name=METRIC, unit=DEFINITION.unit, direction=DEFINITION.direction, values=(float(min(counts)),))


def workers(runs: Sequence[ChildRun]) -> tuple[Host, ...]:
    """What the nodes are, each once."""
    found: dict[str, Host] = {}
    for run in runs:
        for node in nodes_of(run):
            try:
                found.setdefault(node.node, Host.model_validate(node.facts))
            except ValidationError:
                continue
    return tuple(found.values())
