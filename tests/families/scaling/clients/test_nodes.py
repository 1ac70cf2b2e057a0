"""What a record says of the nodes that its clients ran on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perfdb.families import ChildRun
from perfdb.families.scaling import FAMILY
from perfdb.families.scaling.clients import nodes as client_nodes
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.processes.log import ChildLog, Exit, Line

SPEC = ScalingSpec(requests_grid="20", reps=1, clients=4, clients_on="slurm_hopper")
FACTS = {"pseudonym": "a" * 12, "cpu_model": "Fake CPU", "cpu_count": 64}


def node(name: str, first: int, **fields: Any) -> str:
    told = {"client": first, "clients": 2, "node": name * 12, "boot": name * 12, "ahead_s": 0.001, "within_s": 0.002}
    return json.dumps({"kind": "client_node", **told, "facts": FACTS, **fields})


def begin(client: int, late_s: float = 0.0) -> str:
    told = {"clients": 4, "begin_at": 1.8e9, "late_s": late_s, "python": "3.11.7", "files": 1000, "ports": None}
    return json.dumps({"kind": "begin", "client": client, **told, "cpus": 2, "clock_resolution_s": 1e-9})


def run(*lines: str) -> ChildRun:
    log = ChildLog(
        "01-rep-1-wait-1s-load-20", None, tuple(Line(0.0, "stdout", text) for text in lines), Exit(3, 0, "ended", 1)
    )
    return ChildRun(log)


def check(*lines: str, spec: ScalingSpec = SPEC) -> Any:
    (found,) = client_nodes.checks(spec, [run(*lines)])
    return found


def test_nodes_whose_clocks_agree_and_whose_clients_were_ready_began_together() -> None:
    assert check(node("a", 0), node("b", 2), begin(0), begin(2)).passed


@pytest.mark.parametrize(
    "clock", [{"ahead_s": -0.06}, {"within_s": 0.06}, {"ahead_s": 0.03, "within_s": 0.03}, {"ahead_s": None}]
)
def test_a_clock_that_may_be_off_by_more_than_the_bound_is_told(clock: dict[str, Any]) -> None:
    found = check(node("a", 0), node("b", 2, **clock))
    assert not found.passed
    assert "b" * 12 in found.detail
    assert "a" * 12 not in found.detail


def test_clients_that_came_late_to_the_beginning_are_told() -> None:
    found = check(node("a", 0), node("b", 2), begin(0), begin(2, late_s=0.25))
    assert not found.passed
    assert "1 client came late to the beginning, by up to 0.250 s" in found.detail


def test_arrivals_at_a_rate_need_no_common_beginning() -> None:
    spec = SPEC.model_copy(update={"shape": "open"})
    assert list(client_nodes.checks(spec, [run(node("a", 0, ahead_s=9.0), begin(0, late_s=1.0))])) == []


def test_the_nodes_are_counted_described_and_their_worst_clock_is_told() -> None:
    runs = [run(node("a", 0), node("b", 2, ahead_s=-0.02)), run(node("a", 0), "no answer", node("x", 2))]
    (metric,) = client_nodes.metrics(runs)
    assert (metric.name, metric.all_values) == ("client_nodes", (1.0,))  # the second load's; `x` is no pseudonym
    (finding,) = client_nodes.findings(SPEC, runs)
    assert finding.value == "2 nodes"
    assert "4 clients on 2 nodes of slurm_hopper, on 2 machines" in finding.evidence
    assert "at most 22 ms off" in finding.evidence
    assert [host.cpu_count for host in client_nodes.workers(runs)] == [64, 64]


def test_without_client_nodes_nothing_is_said_of_them() -> None:
    spec = ScalingSpec(requests_grid="20", reps=1)
    assert [*client_nodes.checks(spec, [run(begin(0))]), *client_nodes.findings(spec, [run(begin(0))])] == []
    assert list(client_nodes.metrics([run(begin(0))])) == []


def test_the_metric_is_defined_for_whoever_reads_a_record() -> None:
    assert FAMILY.metrics[client_nodes.METRIC].unit == "nodes"
    assert client_nodes.METRIC not in FAMILY.implied


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"client_nodes": 2, "clients": 4}, "nodes of what"),
        ({"client_nodes": 5, "clients": 4, "clients_on": "slurm_hopper"}, "too few"),
    ],
)
def test_nodes_without_a_config_or_without_clients_are_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ScalingSpec(**asked)
