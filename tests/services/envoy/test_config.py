"""Envoy's config: the real Envoy takes it, with any number of backends; and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from perfdb.errors import ServiceError
from perfdb.services.addresses import Address
from perfdb.services.envoy import CLUSTER, Balancer, config_yaml, find_envoy, validate


def balancer(*backends: str) -> Balancer:
    return Balancer(Address("127.0.0.1", 8000), Address("127.0.0.1", 9901), tuple(map(Address.parsed, backends)))


def parts(told: Balancer) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Connection manager, route and cluster of the config."""
    document = yaml.safe_load(config_yaml(told))["static_resources"]
    [listener], [cluster] = document["listeners"], document["clusters"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return manager, manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"], cluster


@pytest.mark.parametrize("count", [1, 3, 240])
def test_the_real_envoy_takes_any_number_of_backends(tmp_path: Path, count: int):
    path = tmp_path / "envoy.yaml"
    path.write_text(config_yaml(balancer(*(f"127.0.0.{2 + number}:8000" for number in range(count)))))
    validate(find_envoy(), path)


@pytest.mark.parametrize(
    "backends", [("node-1:8000", "127.0.0.3:8001"), ("[::1]:8000",), ("127.0.0.2:1", "127.0.0.2:2")]
)
def test_the_real_envoy_takes_names_and_numbers(tmp_path: Path, backends: tuple[str, ...]):
    path = tmp_path / "envoy.yaml"
    path.write_text(config_yaml(balancer(*backends)))
    validate(find_envoy(), path)


def test_what_envoy_refuses_is_told_in_its_own_words(tmp_path: Path):
    path = tmp_path / "envoy.yaml"
    path.write_text(config_yaml(balancer("127.0.0.2:8000")).replace("ROUND_ROBIN", "SQUARE_ROBIN"))
    with pytest.raises(ServiceError, match=r"Envoy refuses .*envoy\.yaml.*SQUARE_ROBIN"):
        validate(find_envoy(), path)


hosts = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z]{1,4})?", fullmatch=True) | st.ip_addresses().map(str)
addresses = st.builds(Address, hosts, st.integers(1, 65535))


@settings(max_examples=50)
@given(st.lists(addresses, min_size=1, max_size=20))
def test_every_backend_is_in_it_once_in_its_order(backends: list[Address]):
    told = Balancer(Address("127.0.0.1", 8000), Address("127.0.0.1", 9901), tuple(backends))
    [locality] = parts(told)[2]["load_assignment"]["endpoints"]
    found = [one["endpoint"]["address"]["socket_address"] for one in locality["lb_endpoints"]]
    assert [Address(one["address"], one["port_value"]) for one in found] == backends


def test_a_grep_for_endpoint_shows_each_backend_with_its_address():
    """As the runbook looks for them."""
    text = config_yaml(balancer("127.0.0.2:8000", "127.0.0.3:8000"))
    assert [line.split('"')[1] for line in text.splitlines() if "- endpoint:" in line] == ["127.0.0.2", "127.0.0.3"]


def test_no_default_of_envoys_stands_that_would_spoil_a_measurement():
    manager, route, cluster = parts(balancer("127.0.0.2:8000"))
    [check] = cluster["health_checks"]
    [thresholds] = cluster["circuit_breakers"]["thresholds"]
    assert check["no_traffic_interval"] == check["interval"] == "1s"
    assert manager["delayed_close_timeout"] == "0s"
    assert manager["upgrade_configs"] == route["upgrade_configs"] == [{"upgrade_type": "websocket"}]
    assert min(thresholds[name] for name in ("max_connections", "max_pending_requests", "max_requests")) >= 100_000
    assert cluster["common_lb_config"] == {"update_merge_window": "0s"}
    assert (cluster["name"], route["cluster"]) == (CLUSTER, CLUSTER) == ("openenv_cluster", "openenv_cluster")
