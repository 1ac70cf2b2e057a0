"""Envoy before several backends: its config as text, its program, and what its admin port answers."""

from perfdb.services.envoy.config import CLUSTER, Balancer, config_yaml
from perfdb.services.envoy.program import find_envoy, validate

__all__ = ["CLUSTER", "Balancer", "config_yaml", "find_envoy", "validate"]
