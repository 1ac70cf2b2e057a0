from __future__ import annotations

import pytest
from pydantic import ValidationError

from perfdb.families.scaling.plan import LoadPlan

BURST = {"url": "http://127.0.0.1:8000", "shape": "burst", "sessions": 5}


def test_a_plan_goes_to_the_clients_and_comes_back_the_same():
    plan = LoadPlan(**BURST)
    assert LoadPlan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"url": "https://127.0.0.1"}, "speaks no TLS"),
        ({"url": "127.0.0.1:8000"}, "begins with http://"),
        ({"url": "http://"}, "names a host"),
        ({"url": "http://somebody:secret@127.0.0.1"}, "without a user or a password"),
        ({"url": "http://127.0.0.1/ HTTP/1.1\r\nHost: elsewhere"}, "printable ASCII signs"),
        ({"url": "http://127.0.0.1:0"}, "a port from 1 to 65535"),
        ({"url": "http://127.0.0.1:99999"}, "a port from 1 to 65535"),
        ({"url": "http://127.0.0.1:http"}, "a port from 1 to 65535"),
        ({"url": "http://[::1:80"}, "an IPv6 address"),
        ({"url": "http://a/" + "x" * 2000}, "at most 2000 signs"),
        ({"sessions": 0}, "at least one session"),
        ({"shape": "open"}, "a rate above 0"),
        ({"shape": "open", "rate": 5}, "a steady_s above 0"),
        ({"shape": "open", "rate": 1e6, "steady_s": 60}, "arrivals"),
        ({"shape": "closed"}, "a steady_s above 0"),
        ({"wait_s": float("nan")}, "finite"),
        ({"unknown": 1}, "not permitted"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_in_words(fields, says):
    with pytest.raises(ValidationError, match=says):
        LoadPlan(**BURST | fields)


def test_the_steady_window_begins_after_ramp_and_warm_up():
    plan = LoadPlan(url="http://a", shape="open", rate=1, ramp_s=2, warm_up_s=3, steady_s=10)
    assert plan.window == (5, 15)
    assert LoadPlan(**BURST).window is None
