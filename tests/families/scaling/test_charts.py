"""What is drawn of a scaling record: what its samples say, as far as they are such a record's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfdb.families.charts import Bars, Grid, Lines
from perfdb.families.scaling.charts import MOST_HOSTS, MOST_LOADS, pictures
from perfdb.families.scaling.samples import COLUMNS
from tests.families.scaling.counted import Counted, columns_of, up_to
from tests.tracking.records import make_record

SPEC = {"mode": "ws", "shape": "burst", "reps": 3, "requests_grid": "32,64,128,256,512", "wait_grid": "1,5"}


def made(samples: Any, **spec: Any) -> dict[str, Any]:
    record = make_record(family="scaling", spec={**SPEC, **spec}, metrics=())
    return {picture.name: picture.data for picture in pictures(record, samples)}


def test_a_grid_has_throughput_latency_of_each_wait_two_maps_and_hosts() -> None:
    found = made(columns_of([*up_to(128, hosts=2), *up_to(64, hosts=2, wait_s=5.0)]))
    assert list(found) == [
        "throughput",
        "latency-against-load",
        "latency-against-load-2",
        "grid-success",
        "grid-p99",
        "hosts",
    ]


def test_latency_is_drawn_with_the_criterions_line() -> None:
    lines = made(columns_of(up_to(128, wait_s=5.0)))["latency-against-load"]
    assert isinstance(lines, Lines)
    assert [line.name for line in lines.lines] == ["p50", "p95", "p99", "p99, what p99 must stay below"]
    assert {dot.y for dot in lines.lines[-1].dots} == {11.0}  # 2 * (5 + 0.5) s
    assert [(dot.x, round(dot.y, 3)) for dot in lines.lines[2].dots][-1] == (512.0, 24.0)
    assert lines.log_x


def test_the_line_is_that_of_the_runs_own_criterion() -> None:
    lines = made(columns_of(up_to(128)), p99_factor=3.0, p99_slack_s=1.0)["latency-against-load"]
    assert lines.lines[-1].dots[0].y == 6.0


def test_the_maps_say_the_share_and_the_p99_and_whether_it_passed() -> None:
    loads = [Counted(32, 1.0, failed=0), Counted(64, 1.0, failed=32), Counted(32, 50.0, wait_s=5.0)]
    found = made(columns_of(loads))
    success, p99 = found["grid-success"], found["grid-p99"]
    assert isinstance(success, Grid)
    told = {(one.row, one.column): (one.told, one.note) for one in success.squares}
    assert told == {
        ("32", "1 s"): ("100 %", "passed"),
        ("64", "1 s"): ("50 %", "failed"),
        ("32", "5 s"): ("100 %", "failed"),
    }
    assert {(one.row, one.column) for one in p99.squares} == set(told)


def test_a_load_where_nothing_succeeded_is_on_the_map_of_success_and_on_no_other() -> None:
    samples = columns_of([Counted(32, 1.0), Counted(64, 1.0, failed=64)])
    found = made(samples)
    assert [one.told for one in found["grid-success"].squares] == ["100 %", "0 %"]
    assert [one.row for one in found["grid-p99"].squares] == ["32"]


def test_hosts_are_drawn_with_the_even_share_and_the_silent_ones() -> None:
    bars = made(columns_of([Counted(100, 1.0, hosts={"a": 3, "b": 1})]), requests_grid="100", expected_hosts=4)["hosts"]
    assert isinstance(bars, Bars)
    assert bars.bars == (("a", 75), ("b", 25), ("silent host 1", 0), ("silent host 2", 0))
    assert bars.even == 25.0


def test_one_load_on_one_host_needs_no_picture() -> None:
    assert made(columns_of([Counted(32, 1.0)]), expected_hosts=None) == {}


def test_a_strangers_thousand_loads_waits_and_hosts_are_cut_and_it_is_said() -> None:
    loads = [Counted(load, 1.0, wait_s=float(wait)) for load in range(1, 101) for wait in (1, 2)]
    loads += [Counted(5, 1.0, wait_s=float(wait)) for wait in range(3, 9)]
    loads.append(Counted(500, 1.0, hosts={f"h{n}": 1 for n in range(300)}))
    found = made(columns_of(loads), requests_grid="1", bisect_to=1000, wait_grid="1,2,3,4,5,6,7,8")
    assert len(found["grid-success"].rows) == MOST_LOADS
    assert f"The largest {MOST_LOADS} of 101 loads." in found["grid-success"].remarks
    assert len(found["grid-success"].columns) <= 8
    assert len(found["hosts"].bars) == MOST_HOSTS


@pytest.mark.parametrize(
    "samples",
    [
        {},
        {"value_s": [1.0]},
        {name: [None] for name in COLUMNS},
        {name: [[]] for name in COLUMNS},
        {**columns_of([Counted(32, 1.0)]), "count": [1]},
        {**columns_of([Counted(32, 1.0)]), "load": [-1] * 9},
    ],
)
def test_what_is_no_samples_of_this_family_has_no_picture(samples: Any) -> None:
    assert made(samples) == {}


def test_a_record_that_asks_for_what_cannot_be_has_no_picture() -> None:
    assert made(columns_of(up_to(128)), requests_grid="; DROP") == {}
    assert made(columns_of(up_to(128)), p99_factor="a") == {}


WORD = st.sampled_from(["total", "outcome", "host", "wall", "ok", "failed", "", "</script>"])
ROW = st.tuples(
    st.integers(-1, 3),
    st.integers(0, 2),
    st.floats(allow_nan=True),
    st.integers(-5, 10**10),
    WORD,
    WORD,
    st.none() | st.floats(),
    st.integers(-1, 10**9),
)


@given(st.lists(ROW, max_size=12))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_stands_in_samples_nothing_breaks(rows: list[tuple[object, ...]]) -> None:
    made({name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)})
