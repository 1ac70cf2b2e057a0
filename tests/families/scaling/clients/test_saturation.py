from __future__ import annotations

import pytest

from perfdb.families.scaling.clients.answers import ClientLoad, Spread
from perfdb.families.scaling.clients.merge import Load
from perfdb.families.scaling.clients.saturation import Limits, why_saturated


def client(**fields: object) -> Load:
    """A load whose one client was never behind, but for these."""
    calm = Spread(count=100, p50_s=0.001, p99_s=0.002, max_s=0.01)
    kept_up: dict[str, object] = {
        "kind": "load",
        "client": 0,
        "wall_s": 10,
        "cpu_s": 1,
        "highest_cpu_share": 0.2,
        "waited_for_cpu_s": 0.1,
        "send_lag": calm,
        "tick_lag": calm,
        "longest_busy_s": 0.01,
    }
    return Load(planned=1, loads={0: ClientLoad.model_validate(kept_up | fields)})


def test_a_client_that_kept_up_is_believed():
    assert why_saturated(client(), Limits()) == ()
    assert why_saturated(client(send_lag=None, tick_lag=None), Limits()) == ()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (
            {"send_lag": Spread(count=9, p50_s=0, p99_s=0.16, max_s=0.16)},
            "the 99th percentile of the send lag was 0.160 s",
        ),
        (
            {"send_lag": Spread(count=9, p50_s=0, p99_s=0, max_s=0.6)},
            "the longest send lag was 0.600 s, more than 0.5 s",
        ),
        ({"tick_lag": Spread(count=9, p50_s=0, p99_s=0, max_s=1.0)}, "the longest stall was 1.000 s"),
        ({"longest_busy_s": 0.3}, "without a look at what had arrived was 0.300 s"),
        ({"highest_cpu_share": 0.95}, "share of a core was 0.950, more than 0.9"),
    ],
)
def test_each_limit_that_was_passed_is_told(fields, says):
    (why,) = why_saturated(client(**fields), Limits())
    assert says in why
