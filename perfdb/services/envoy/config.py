"""The text of envoy.yaml. Pure.

What a measurement needs and Envoy's defaults don't give stands there with its reason, for whoever reads the file.
"""

from __future__ import annotations

from dataclasses import dataclass

from perfdb.services.addresses import Address

CLUSTER = "openenv_cluster"
DEFAULT_ADMIN_PORT = 9901
HEALTH_INTERVAL_S = 1
# More than any machine has ports for.
MOST = 1_000_000


@dataclass(frozen=True)
class Balancer:
    """One Envoy.

    Attributes:
        listener: Where clients connect.
        admin: Where it tells of itself. Whoever reaches it can end it, so it belongs on a closed network.
        backends: The servers behind it, in any number.
    """

    listener: Address
    admin: Address
    backends: tuple[Address, ...]


def config_yaml(balancer: Balancer) -> str:
    """The whole file."""
    # Names are looked up again and again while it runs; addresses are not.
    kind = "STATIC" if all(backend.is_numeric for backend in balancer.backends) else "STRICT_DNS"
    endpoints = "\n".join(
        f"              - endpoint: {{address: {_socket_address(backend)}}}" for backend in balancer.backends
    )
    return _TEXT.format(
        admin=_socket_address(balancer.admin),
        listener=_socket_address(balancer.listener),
        cluster=CLUSTER,
        kind=kind,
        most=MOST,
        interval=HEALTH_INTERVAL_S,
        endpoints=endpoints,
    )


def _socket_address(address: Address) -> str:
    # An address holds nothing that YAML could take for more than text, see `Address`.
    return f'{{socket_address: {{address: "{address.host}", port_value: {address.port}}}}}'


_TEXT = """\
# Made by perfdb; Envoy validates it with `envoy --mode validate -c FILE`.
admin:
  address: {admin}
static_resources:
  listeners:
    - name: openenv_listener
      address: {listener}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: openenv
                codec_type: AUTO
                # The default keeps each closed connection for another second.
                delayed_close_timeout: 0s
                # A session may wait for long between two steps.
                stream_idle_timeout: 0s
                upgrade_configs:
                  - upgrade_type: websocket
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  name: openenv_routes
                  virtual_hosts:
                    - name: openenv
                      domains: ["*"]
                      routes:
                        - match: {{prefix: "/"}}
                          route:
                            cluster: {cluster}
                            timeout: 0s
                            upgrade_configs:
                              - upgrade_type: websocket
  clusters:
    - name: {cluster}
      type: {kind}
      connect_timeout: 5s
      lb_policy: ROUND_ROBIN
      # Else what health checks find reaches the threads that choose up to a second later than the admin port tells it.
      common_lb_config: {{update_merge_window: 0s}}
      # At the defaults of 1024 sessions wait for one another in silence, then get a 503.
      circuit_breakers:
        thresholds:
          - priority: DEFAULT
            max_connections: {most}
            max_pending_requests: {most}
            max_requests: {most}
      health_checks:
        - timeout: 5s
          interval: {interval}s
          # The default looks once a minute before the first traffic, and a dead backend stays healthy for as long.
          no_traffic_interval: {interval}s
          unhealthy_threshold: 2
          healthy_threshold: 1
          http_health_check: {{path: /health}}
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          # Shorter than a backend's own (uvicorn: 5 s), or a request may meet a connection that is just being closed.
          common_http_protocol_options: {{idle_timeout: 3s}}
          explicit_http_config: {{http_protocol_options: {{}}}}
      load_assignment:
        cluster_name: {cluster}
        endpoints:
          - lb_endpoints:
{endpoints}
"""
