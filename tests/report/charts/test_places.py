"""Where records stand on a chart of scaling: like with like on one line, one value for each unit of analysis."""

from __future__ import annotations

from typing import Any

import pytest

from perfdb.families import FAMILIES
from perfdb.families.charts import ScalingChart
from perfdb.record import Code, Environment, Metric, Record
from perfdb.registry.remarks import NO_REMARKS
from perfdb.report.charts import Place, history
from perfdb.report.charts.places import LINES, others, places_of
from perfdb.report.site.contents import Item
from perfdb.report.site.figures import scaling_figures
from tests.report.charts.examples import series
from tests.tracking.records import make_record

WORKERS = "executor.max_workers_per_node"
RATE = "warm_tasks_per_s"


def measured(workers: int, *values: float, argsize: int = 0, **changes: Any) -> Record:
    rate = Metric(name=RATE, unit="tasks/s", direction="higher", values=values)
    fields: dict[str, Any] = {"params": {WORKERS: workers}, "spec": {"argsize": argsize, "reps": len(values)}}
    return make_record(**{**fields, "metrics": (rate,), **changes})


def item(record: Record) -> Item:
    return Item(record, "", NO_REMARKS, (0, 0, 0))


def matrix() -> list[Record]:
    return [measured(w, 100.0 * w - a, argsize=a) for w in (1, 2) for a in (0, 10)]


def test_a_report_draws_one_figure_a_parameter_and_no_line_mixes_settings():
    figures = scaling_figures([item(record) for record in matrix()])
    assert [figure.param for figure in figures] == [WORKERS, "spec.argsize"]
    assert len({figure.name for figure in figures}) == 2
    assert [(p.line.rpartition(", ")[2], p.at, p.values) for p in figures[0].places] == [
        ("spec.argsize 0", 1.0, (100.0,)),
        ("spec.argsize 0", 2.0, (200.0,)),
        ("spec.argsize 10", 1.0, (90.0,)),
        ("spec.argsize 10", 2.0, (190.0,)),
    ]


def test_runs_on_schedulers_that_are_set_differently_are_on_lines_of_their_own():
    cloud = {"SchedulerType": "sched/backfill", "boot_s": "2", "SuspendTime": "12 sec"}
    on = [{"SchedulerType": "sched/backfill"}, cloud]
    records = [
        measured(w, 100.0 * w, environment=Environment(machine="m", scheduler_settings=settings))
        for w in (1, 2)
        for settings in on
    ]
    assert others(records, WORKERS) == ["scheduler_settings.boot_s"]
    places, _ = places_of(records, RATE, WORKERS, (*LINES, *others(records, WORKERS)))
    assert sorted((place.line, place.at, place.records) for place in places) == [
        ("all", 1.0, 1),
        ("all", 2.0, 1),
        ("scheduler_settings.boot_s 2", 1.0, 1),
        ("scheduler_settings.boot_s 2", 2.0, 1),
    ]


def test_what_was_not_varied_along_a_line_gets_no_figure():
    assert scaling_figures([item(measured(1, 1.0, argsize=0)), item(measured(2, 2.0, argsize=10))]) == []


def test_of_parameters_that_go_along_with_one_another_one_is_drawn():
    (description,) = [chart for chart in FAMILIES["throughput"].charts if isinstance(chart, ScalingChart)]
    one, other = description.over[:2]
    records = [measured(0, 1.0 * n, params={one: n, other: n}) for n in (1, 2)]
    assert [figure.param for figure in scaling_figures([item(record) for record in records])] == [one]


def test_a_record_alone_at_its_place_shows_its_repetitions():
    places, _ = places_of([measured(1, 100.0, 110.0, 120.0)], RATE, WORKERS, LINES)
    assert places == [Place("all", 1.0, (100.0, 110.0, 120.0), 1)]


def test_of_several_records_at_one_place_each_counts_once_whatever_its_repetitions():
    records = [measured(1, *[100.0] * 3), measured(1, *[200.0] * 9)]
    places, shared = places_of(records, RATE, WORKERS, LINES)
    assert places == [Place("all", 1.0, (100.0, 200.0), 2)]
    assert shared == "Parsl 2026.10.26, laptop-7f3a, local_htex"


def test_words_and_other_params_tell_lines_apart_but_repetitions_and_limits_do_not():
    one = measured(1, 1.0, params={WORKERS: 1, "executor.prefetch": 0}, spec={"iterate": "estimate", "reps": 1})
    two = measured(
        2, 2.0, params={WORKERS: 2, "executor.prefetch": 4}, spec={"iterate": "10,10", "reps": 2, "timeout_s": 9.0}
    )
    assert others([one, two], WORKERS) == ["executor.prefetch", "spec.iterate"]


def test_what_always_equals_the_parameter_goes_along_with_it():
    records = [measured(0, 1.0, params={"provider.max_blocks": n, "provider.min_blocks": n}) for n in (1, 2)]
    assert others(records, "provider.max_blocks") == []


@pytest.mark.parametrize("source", ["commit {}", "a folder, content {}"])
def test_states_of_one_version_are_lines_of_their_own(source):
    def code(digit: str) -> Code:
        return Code(perfdb_version="0.1.0", measured={"parsl": "2026.10.26", "parsl_source": source.format(digit * 12)})

    places, _ = places_of([measured(1, 1.0, code=code(d)) for d in "ab"], RATE, WORKERS, LINES)
    assert [place.line for place in places] == ["Parsl 2026.10.26 (aaaaaaa)", "Parsl 2026.10.26 (bbbbbbb)"]


def test_a_history_tells_the_commits_of_one_version_apart():
    first, second, third = (
        point.model_copy(update={"version": "2026.1.1", "source": source})
        for point, source in zip(series().points, (None, f"commit {'a' * 40}", f"commit {'b' * 40}"), strict=False)
    )
    told = series(points=(first, second, third, series().points[3]), changes=(), marks=(), stretches=(0,))
    spec = history(told, metric=RATE, by="version")
    places = [row["x"] for row in spec["datasets"]["points"]]
    assert places == ["2026.1.1", "2026.1.1 (aaaaaaa)", "2026.1.1 (bbbbbbb)", "2026.4.1"]
