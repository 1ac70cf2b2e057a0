"""The cells of imported records."""

from __future__ import annotations

import pytest

from perfdb.families.scaling.analysis.imported import cells_of
from perfdb.record import Metric, Record
from tests.tracking.records import make_record


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
