"""The cells of imported records."""

from __future__ import annotations

from datetime import timedelta

import pytest

from perfdb.families.scaling.analysis.imported import NO_INSTANTS, NO_LOAD, cells_of, runs_of
from perfdb.record import Metric, Origin, Record
from tests.tracking.records import STARTED, make_record


def record(status: str = "ok", params: dict[str, object] | None = None, **values: tuple[float, ...]) -> Record:
    metrics = tuple(Metric(name=name, unit="1", direction="none", values=of) for name, of in values.items())
    asked = {"num_requests": 512, "wait_seconds": 1} if params is None else params
    return make_record(family="scaling", status=status, params=asked, metrics=metrics)


WHOLE = {"successful_requests": (512.0, 384.0), "failed_requests": (0.0, 128.0), "total_p99_s": (1.5, 2.5)}


def test_each_repetition_is_a_cell() -> None:
    first, second = cells_of(record(**WHOLE, requests_per_s=(300.0, 200.0), unique_hosts=(2.0, 1.0)))
    assert (first.load, first.wait_s, first.repetition, first.success_share, first.p99_s) == (512, 1.0, 1, 1.0, 1.5)
    assert (second.repetition, second.success_share, second.p99_s, second.unique_hosts) == (2, 0.75, 2.5, 1)
    assert second.sessions_per_s == 200.0
    assert first.valid
    assert first.p50_s is None


def test_percentiles_of_the_raw_rows_go_before_the_summarys() -> None:
    first, _ = cells_of(record(**WHOLE, recomputed_total_p99_s=(1.6, 2.6)))
    assert first.p99_s == 1.6


def test_an_invalid_record_has_invalid_cells() -> None:
    assert not any(cell.valid for cell in cells_of(record("invalid", **WHOLE)))


def test_successes_without_a_p99_say_nothing_but_no_success_does() -> None:
    one, none = cells_of(record(successful_requests=(512.0, 0.0), failed_requests=(0.0, 512.0)))
    assert (one.valid, none.valid) == (False, True)
    assert (none.success_share, none.p99_s) == (0.0, None)


def test_a_repetition_of_no_request_says_nothing() -> None:
    [cell] = cells_of(record(successful_requests=(0.0,), failed_requests=(0.0,)))
    assert not cell.valid


@pytest.mark.parametrize(
    "params",
    [{}, {"num_requests": 512}, {"num_requests": "many", "wait_seconds": 1}, {"num_requests": 0, "wait_seconds": 1}],
)
def test_a_record_that_does_not_say_what_was_asked_for_has_none(params: dict[str, object]) -> None:
    assert cells_of(record(params=params, **WHOLE)) == ()


def test_a_record_that_does_not_say_how_many_succeeded_has_none() -> None:
    assert cells_of(record(total_p99_s=(1.0,))) == ()


def test_negative_numbers_are_not_believed() -> None:
    assert cells_of(record(successful_requests=(512.0,), failed_requests=(-100.0,))) == ()
    [cell] = cells_of(
        record(successful_requests=(512.0,), failed_requests=(0.0,), total_p99_s=(-1.0,), unique_hosts=(-1.0,))
    )
    assert (cell.valid, cell.p99_s, cell.unique_hosts) == (False, None, None)


# Whole runs, as an import makes a record of each load.
def loads(*sizes: int, hosts: float = 1.0, minutes: int = 0, **changes: object) -> list[Record]:
    """A run's records, a minute apart."""
    return [
        make_record(
            family="scaling",
            started_at=STARTED + timedelta(minutes=minutes + place),
            ended_at=STARTED + timedelta(minutes=minutes + place + 1),
            params={"num_requests": size, "wait_seconds": 1, "mode": "ws", "service": "service-1"},
            origin=Origin(kind="imported", source_kind="openenv", source=f"2025-08-28#ws/{size}/1/{size}"),
            metrics=tuple(
                Metric(name=name, unit="1", direction="none", values=(value, value))
                for name, value in {
                    "successful_requests": float(size),
                    "failed_requests": 0.0,
                    "total_p99_s": 1.5 if size < 1000 else 9.0,
                    "unique_hosts": hosts,
                }.items()
            ),
            **changes,
        )
        for place, size in enumerate(sizes)
    ]


def test_the_loads_of_one_source_are_one_run() -> None:
    (run,), left = runs_of(loads(512, 1024, 128))
    assert left == {}
    assert run.imported
    assert len(run.records) == 3
    (ceiling,) = run.ceilings
    assert (ceiling.bracket.passed, ceiling.bracket.failed, len(ceiling.repetitions)) == (512, 1024, 2)
    assert run.name.startswith("imported (openenv): 2025-08-28 on ")


def test_a_grid_that_was_gone_through_again_is_a_run_of_its_own() -> None:
    one, two = runs_of([*loads(512, 1024, hosts=2, minutes=60), *loads(512, 1024)])[0]
    assert (one.hosts, two.hosts) == (1, 2)
    assert not set(one.records) & set(two.records)


def test_which_run_a_load_is_of_is_not_guessed_without_instants() -> None:
    same = {"started_at": STARTED, "ended_at": STARTED}
    twice = [record.model_copy(update=same) for record in (*loads(512, 1024), *loads(512, 1024, hosts=2.0, minutes=9))]
    runs, left = runs_of(twice)
    assert runs == []
    assert sorted(left[NO_INSTANTS]) == sorted(record.record_id for record in twice)


def test_sources_services_and_machines_stand_apart() -> None:
    other = [record.model_copy(update={"experiment": "other"}) for record in loads(512)]
    assert len(runs_of([*loads(512), *other])[0]) == 2


def test_a_record_without_a_load_is_left_out_and_named() -> None:
    empty = record(params={}, **WHOLE)
    runs, left = runs_of([empty])
    assert (runs, left) == ([], {NO_LOAD: [empty.record_id]})
