"""What Envoy's admin port answers; what a stranger on that port may answer."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import ServiceError
from perfdb.services.envoy import admin


def _host(port: int, **health: Any) -> dict[str, Any]:
    """One backend in the words of Envoy 1.40; Protobuf's JSON leaves out what is 0."""
    names = ("cx_connect_fail", "rq_error", "rq_success", "rq_timeout")
    return {
        "address": {"socket_address": {"address": "127.0.0.2", "port_value": port}},
        "stats": [
            *({"name": name} for name in names),
            {"name": "cx_total", "value": "9"},
            {"name": "rq_total", "value": "7"},
            {"type": "GAUGE", "name": "cx_active", "value": "2"},
            {"type": "GAUGE", "name": "rq_active", "value": "1"},
        ],
        "health_status": {"eds_health_status": "HEALTHY", **health},
    }


CLUSTERS: dict[str, Any] = {
    "cluster_statuses": [
        {"name": "another"},
        {
            "name": "openenv_cluster",
            "host_statuses": [_host(8000), _host(8001, failed_active_health_check=True)],
            "circuit_breakers": {
                "thresholds": [
                    {"max_connections": 5000, "max_pending_requests": 4000, "max_requests": 6000, "max_retries": 3},
                    {"priority": "HIGH", "max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024},
                ]
            },
        },
    ]
}


def test_a_backend_is_told_with_its_health_and_its_counts():
    well, ill = admin.parse_clusters(CLUSTERS).backends
    assert (well.address, well.healthy, well.flags) == ("127.0.0.2:8000", True, ())
    assert (well.requests, well.active_requests, well.connections, well.errors) == (7, 1, 2, 0)
    assert (ill.address, ill.healthy, ill.flags) == ("127.0.0.2:8001", False, ("failed_active_health_check",))


def test_the_breakers_are_those_of_the_default_priority():
    assert admin.parse_clusters(CLUSTERS).breakers.smallest == 4000


def _changed(path: list[Any], value: Any) -> Any:
    document = copy.deepcopy(CLUSTERS)
    *way, last = path
    at = document
    for key in way:
        at = at[key]
    if value is _changed:
        del at[last]
    else:
        at[last] = value
    return document


_OURS = ["cluster_statuses", 1]
_FIRST = [*_OURS, "host_statuses", 0]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"cluster_statuses": []},
        {"cluster_statuses": [1]},
        _changed([*_FIRST, "address"], _changed),
        _changed([*_FIRST, "address", "socket_address", "address"], "a b; rm"),
        _changed([*_FIRST, "address", "socket_address", "port_value"], 0),
        _changed([*_FIRST, "stats"], [{"name": "rq_total", "value": "-7"}]),
        _changed([*_FIRST, "stats", 5, "value"], "-7"),
        _changed([*_FIRST, "stats", 5, "value"], "many"),
        _changed([*_FIRST, "stats", 5, "value"], "9" * 40),
        _changed([*_FIRST, "health_status"], []),
        _changed([*_OURS, "circuit_breakers"], _changed),
        _changed([*_OURS, "circuit_breakers", "thresholds"], [{"priority": "HIGH"}]),
    ],
)
def test_a_document_that_is_not_envoys_is_refused_in_words(document: Any):
    with pytest.raises(ServiceError, match=r"Envoy"):
        admin.parse_clusters(document)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["cluster_statuses", "name", "host_statuses", "stats", "configs", "value", "address", "listener"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(json_like)
def test_no_document_makes_it_fail_otherwise(document: Any):
    for parse in (admin.parse_clusters, admin.parse_stats, admin.parse_config_dump):
        try:
            parse(document)
        except ServiceError as refused:
            assert "\n" not in str(refused)


def test_a_counter_that_this_envoy_does_not_have_is_zero():
    told = admin.parse_stats(
        {"stats": [{"name": "cluster.openenv_cluster.health_check.failure", "value": 3}, {"histograms": {}}]}
    )
    assert (told.health_failures, told.ejections, told.overflow_503, told.panics) == (3, 0, 0, 0)


def _dump(check: dict[str, str] | None, manager: dict[str, Any]) -> dict[str, Any]:
    cluster = {"name": "openenv_cluster"} | ({"health_checks": [check]} if check is not None else {})
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    return {
        "configs": [
            {"@type": "bootstrap"},
            {"static_clusters": [{"cluster": cluster}]},
            {"static_listeners": [{"listener": {"filter_chains": [{"filters": filters}]}}]},
        ]
    }


def test_what_a_config_leaves_out_is_envoys_default():
    told = admin.parse_config_dump(_dump({"interval": "10s"}, {}))
    assert (told.interval_s, told.no_traffic_interval_s, told.upgrades, told.delayed_close_s) == (10, 60, (), 1)


def test_a_config_without_health_checks_says_so():
    assert admin.parse_config_dump(_dump(None, {})).interval_s is None


def test_the_documents_are_json_as_envoy_sends_it():
    assert admin.parse_clusters(json.loads(json.dumps(CLUSTERS))).healthy == 1
