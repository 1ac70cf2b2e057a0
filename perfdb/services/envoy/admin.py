"""What Envoy's admin port answers, as models: the port may be anybody's, so nothing is believed until it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from perfdb.errors import ServiceError, UsageError
from perfdb.services.addresses import Address
from perfdb.services.asking import get_json
from perfdb.services.envoy.config import CLUSTER

_MOST_BACKENDS = 10_000
Count = Annotated[int, Field(ge=0, le=2**63)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_COUNTS = ("cx_active", "cx_connect_fail", "cx_total", "rq_active", "rq_error", "rq_success", "rq_timeout", "rq_total")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Backend(_Frozen):
    """One server as Envoy sees it.

    Attributes:
        address: As `host:port`.
        healthy: Whether it gets sessions.
        flags: Why not: names of Envoy's, such as `failed_active_health_check`.
        requests: Sessions and requests that were sent to it so far.
        active_requests: Of these, under way now.
        connections: Open to it now.
        connect_failures: Attempts to connect that failed.
        errors: Requests that failed.
    """

    address: str
    healthy: bool
    flags: tuple[Annotated[str, Field(max_length=100)], ...] = Field(max_length=20)
    requests: Count
    active_requests: Count
    connections: Count
    connect_failures: Count
    errors: Count


class Breakers(_Frozen):
    """At how many of each Envoy makes the next wait, or refuses it."""

    max_connections: Count
    max_pending_requests: Count
    max_requests: Count

    @property
    def smallest(self) -> int:
        """What bounds the sessions."""
        return min(self.max_connections, self.max_pending_requests, self.max_requests)


class Clusters(_Frozen):
    """`/clusters` of our cluster."""

    backends: tuple[Backend, ...]
    breakers: Breakers

    @property
    def healthy(self) -> int:
        """How many are."""
        return sum(backend.healthy for backend in self.backends)


class Stats(_Frozen):
    """Counters over all backends since Envoy's start.

    Attributes:
        health_failures: Health checks that failed; one that had no answer ejects nobody by itself.
        ejections: By outlier detection, which our config does not use.
        overflow_503: Requests that a breaker refused.
        none_healthy_503: Requests that found no healthy backend.
        panics: Sessions that were sent to any backend, ill ones too, because most were ill.
        retries: Requests that were sent again.
        sessions: Downstream upgrades under way now.
    """

    health_failures: Count
    ejections: Count
    overflow_503: Count
    none_healthy_503: Count
    panics: Count
    retries: Count
    sessions: Count


class Health(_Frozen):
    """How the cluster's health checks and upgrades are configured, from `/config_dump`."""

    interval_s: Seconds | None
    no_traffic_interval_s: Seconds | None
    upgrades: tuple[Annotated[str, Field(max_length=100)], ...] = Field(max_length=20)
    delayed_close_s: Seconds


def clusters(admin: Address, timeout_s: float = 5.0) -> Clusters:
    """Ask for `/clusters`.

    Raises:
        ServiceError: it does not answer, or not as Envoy does.
    """
    return parse_clusters(get_json(admin, "/clusters?format=json", timeout_s))


def parse_clusters(document: Any) -> Clusters:
    """Our cluster in the document of `/clusters?format=json`.

    Raises:
        ServiceError: it is not in it, or not as Envoy tells it.
    """
    with _AsEnvoyTellsIt("/clusters"):
        found = next((one for one in document["cluster_statuses"] if one["name"] == CLUSTER), None)
        if found is None:
            raise ServiceError(f"this Envoy has no cluster {CLUSTER!r}: its config is not one that perfdb made.")
        hosts = found.get("host_statuses", [])[:_MOST_BACKENDS]
        thresholds = found["circuit_breakers"]["thresholds"]
        default = next(one for one in thresholds if one.get("priority", "DEFAULT") == "DEFAULT")
        return Clusters(
            backends=tuple(map(_backend, hosts)),
            # Protobuf's JSON leaves out what is 0.
            breakers=Breakers.model_validate({name: default.get(name, 0) for name in Breakers.model_fields}),
        )


def _backend(host: Mapping[str, Any]) -> Backend:
    where = host["address"]["socket_address"]
    counts = {one["name"]: one.get("value", 0) for one in host["stats"]}
    missing = set(_COUNTS) - set(counts)
    if missing:
        raise KeyError(min(missing))
    health = host["health_status"]
    flags = tuple(sorted(str(name) for name, value in health.items() if value is True))
    eds = health.get("eds_health_status", "HEALTHY")
    return Backend.model_validate(
        {
            "address": str(Address(str(where["address"]), int(where["port_value"]))),
            "healthy": not flags and eds in ("HEALTHY", "UNKNOWN"),
            "flags": flags,
            "requests": counts["rq_total"],
            "active_requests": counts["rq_active"],
            "connections": counts["cx_active"],
            "connect_failures": counts["cx_connect_fail"],
            "errors": counts["rq_error"],
        }
    )


_STATS = {
    "health_failures": (f"cluster.{CLUSTER}.health_check.failure",),
    "ejections": (f"cluster.{CLUSTER}.outlier_detection.ejections_enforced_total",),
    "overflow_503": (
        f"cluster.{CLUSTER}.upstream_rq_pending_overflow",
        f"cluster.{CLUSTER}.upstream_cx_overflow",
    ),
    "none_healthy_503": (f"cluster.{CLUSTER}.upstream_cx_none_healthy",),
    "panics": (f"cluster.{CLUSTER}.lb_healthy_panic",),
    "retries": (f"cluster.{CLUSTER}.upstream_rq_retry",),
    "sessions": ("http.openenv.downstream_cx_upgrades_active",),
}


def stats(admin: Address, timeout_s: float = 5.0) -> Stats:
    """Ask for the counters of `/stats`.

    Raises:
        ServiceError: as `clusters`.
    """
    return parse_stats(get_json(admin, "/stats?format=json", timeout_s))


def parse_stats(document: Any) -> Stats:
    """The counters in the document of `/stats?format=json`; one that Envoy does not have is 0.

    Raises:
        ServiceError: it is not as Envoy tells it.
    """
    with _AsEnvoyTellsIt("/stats"):
        values = {one["name"]: one["value"] for one in document["stats"] if "name" in one}
        return Stats.model_validate(
            {ours: sum(values.get(name, 0) for name in names) for ours, names in _STATS.items()}
        )


def health(admin: Address, timeout_s: float = 5.0) -> Health:
    """Ask for the config in force.

    Raises:
        ServiceError: as `clusters`.
    """
    return parse_config_dump(get_json(admin, "/config_dump", timeout_s))


def parse_config_dump(document: Any) -> Health:
    """What the document of `/config_dump` says of health checks and upgrades.

    Raises:
        ServiceError: it is not as Envoy tells it.
    """
    with _AsEnvoyTellsIt("/config_dump"):
        sections = document["configs"]
        found = [
            one["cluster"]
            for section in sections
            for one in section.get("static_clusters", [])
            if one["cluster"]["name"] == CLUSTER
        ]
        if not found:
            raise ServiceError(f"this Envoy has no cluster {CLUSTER!r}: its config is not one that perfdb made.")
        checks = found[0].get("health_checks", [])
        managers = [
            part["typed_config"]
            for section in sections
            for one in section.get("static_listeners", [])
            for chain in one["listener"].get("filter_chains", [])
            for part in chain.get("filters", [])
            if part["name"] == "envoy.filters.network.http_connection_manager"
        ]
        manager = managers[0] if managers else {}
        return Health(
            interval_s=_seconds(checks[0].get("interval")) if checks else None,
            no_traffic_interval_s=_seconds(checks[0].get("no_traffic_interval", "60s")) if checks else None,
            upgrades=tuple(str(one["upgrade_type"]).lower() for one in manager.get("upgrade_configs", [])),
            delayed_close_s=_seconds(manager.get("delayed_close_timeout", "1s")) or 0.0,
        )


def _seconds(text: Any) -> float | None:
    return None if text is None else float(str(text).removesuffix("s"))


_ODD = (KeyError, IndexError, TypeError, AttributeError, ValueError, ValidationError, StopIteration, UsageError)


class _AsEnvoyTellsIt:
    """Makes one paragraph of whatever is wrong with a document."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _ODD):
            raise ServiceError(
                f"what answers at {self._path} is no Envoy's admin port, or one of an Envoy that perfdb does not know: "
                f"{type(error).__name__} {str(error).splitlines()[0][:200] if str(error) else ''}. Look at it with curl."
            ) from error
