"""What is told of a load while it runs."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.base import Program
from perfdb.families.scaling.measure import measure
from perfdb.families.scaling.plan import LoadPlan
from perfdb.families.scaling.progress import progress
from perfdb.families.scaling.spec import ScalingSpec
from tests.families.scaling.test_family import StandInLab


def child(**fields: Any) -> Program:
    plan = LoadPlan(url="http://127.0.0.1:8000", **{"shape": "burst", "sessions": 96, **fields})
    return Program("rep-1-wait-1s-load-96", (), {"PERFDB_LOAD_PLAN": plan.model_dump_json()})


def stands(at_s: float, over: int, failed: int = 0, client: int = 0, begun: int = 96) -> str:
    answer = {"kind": "progress", "client": client, "at_s": at_s, "begun": begun, "over": over, "failed": failed}
    return json.dumps(answer)


def ended(client: int = 0, window: str = "steady", trouble: str | None = None, **outcomes: int) -> tuple[str, str]:
    counts = {"kind": "counts", "client": client, "window": window, "outcomes": outcomes, "close_failed": 0}
    end = {"kind": "end", "client": client, "outcome": "failed" if trouble else "all", "trouble": trouble}
    return json.dumps(counts), json.dumps(end)


def told(program: Program, *lines: str) -> list[str]:
    hear = progress(program)
    return [text for line in lines if (text := hear(line)) is not None]


def test_a_load_tells_how_far_it_is_and_at_its_end_how_it_went() -> None:
    lines = [stands(0.0, 0, begun=0), stands(1.0, 0), stands(4.01, 60, 2), *ended(ok=94, refused=2)]
    assert told(child(), *lines) == [
        "1 s, 0 of 96 over",
        "4 s, 60 of 96 over, 2 failed",
        "96 sessions, 97.92 % succeeded (2 refused)",
    ]


def test_a_load_that_is_over_at_once_tells_its_outcome_alone() -> None:
    assert told(child(), stands(0.0, 0, begun=0), *ended(ok=96)) == ["96 sessions, 100 % succeeded"]


def test_clients_are_told_together() -> None:
    lines = [stands(0.9, 1), stands(2.0, 30, 1, client=1), *ended(0, ok=48), *ended(1, ok=47, timeout=1)]
    assert told(child(clients=2), *lines) == [
        "2 s, 31 of 96 over, 1 failed",
        "96 sessions, 98.96 % succeeded (1 timeout)",
    ]


def test_a_long_load_tells_seldom() -> None:
    lines = [stands(float(second), 1) for second in range(3600)]
    assert len(told(child(), *lines)) < 25


def test_how_many_there_will_be_is_said_only_where_it_is_known() -> None:
    assert told(child(shape="open", rate=10.0, steady_s=9.0), stands(3.0, 20)) == ["3 s, 20 over"]
    assert told(child(shape="closed", sessions=4, steady_s=9.0), stands(3.0, 20)) == ["3 s, 20 over"]


def test_only_what_counts_is_in_the_outcome() -> None:
    assert told(child(), *ended(window="all", ok=96)) == []


def test_why_a_client_could_not_begin_is_told() -> None:
    assert told(child(), *ended(trouble="the service's name was not found")) == ["the service's name was not found"]


@given(
    st.text() | st.dictionaries(st.sampled_from(["kind", "client", "at_s"]), st.text() | st.floats()).map(json.dumps)
)
def test_no_line_upsets_it(line: str) -> None:
    assert told(child(), line) == []


def test_people_know_a_load_by_its_place_in_the_run() -> None:
    spec = ScalingSpec(requests_grid="96", wait_grid="0.5", reps=3)
    assert next(measure(StandInLab(), spec)).label == "rep 1/3, wait 0.5 s, load 96"  # type: ignore[arg-type]
