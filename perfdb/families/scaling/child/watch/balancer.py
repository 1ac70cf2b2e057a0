"""What Envoy's admin port says of our cluster. Whoever answers there may be anybody: what is no Envoy's answer is None."""

import json

import asking

CLUSTER = "openenv_cluster"
DEFAULT_PORT = 9901
TIMEOUT_S = 1.0
# The default is only tried.
TRY_S = 0.5
MOST_BACKENDS = 10_000
_PREFIX = f"cluster.{CLUSTER}."
# What we call them, and the counters of Envoy that they are the sum of; one that Envoy does not have is 0.
COUNTERS = {
    "ejections": ("outlier_detection.ejections_enforced_total",),
    "overflow_503": ("upstream_rq_pending_overflow", "upstream_cx_overflow"),
    "none_healthy_503": ("upstream_cx_none_healthy",),
    "panics": ("lb_healthy_panic",),
    "health_failures": ("health_check.failure",),
    "membership_changes": ("membership_change",),
}
_FILTER = f"/stats?format=json&filter=cluster%5C.{CLUSTER}%5C."


class Admin:
    """An admin port; `timeout_s` is the patience with each answer."""

    def __init__(self, address, timeout_s=TIMEOUT_S):
        self._address = address
        self._timeout_s = timeout_s

    def backends(self):
        """`{(host, port): (requests sent so far, whether it is healthy)}`, None where no Envoy tells of our cluster."""
        try:
            for cluster in self._document("/clusters?format=json")["cluster_statuses"]:
                if cluster["name"] == CLUSTER:
                    return dict(map(_backend, cluster.get("host_statuses", [])[:MOST_BACKENDS]))
        except _ODD:
            pass
        return None

    def counters(self):
        """The counters by our names, so far."""
        try:
            told = {one["name"]: int(one["value"]) for one in self._document(_FILTER)["stats"] if "value" in one}
            found = {ours: sum(told.get(_PREFIX + name, 0) for name in theirs) for ours, theirs in COUNTERS.items()}
            found["health_refusals"] = max(
                0, found["health_failures"] - told.get(_PREFIX + "health_check.network_failure", 0)
            )
            return found
        except _ODD:
            return None

    def memory_bytes(self):
        """What it has allocated."""
        try:
            return int(self._document("/memory")["allocated"])
        except _ODD:
            return None

    def listens_on(self, port):
        """Whether it passes on what comes to that port."""
        try:
            return any(
                _port(one["local_address"]) == port
                for one in self._document("/listeners?format=json")["listener_statuses"]
            )
        except _ODD:
            return False

    def _document(self, path):
        body = asking.get(self._address, path, self._timeout_s)
        return None if body is None else json.loads(body.decode("utf-8", "replace"))


_ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


def _backend(host):
    where = host["address"]["socket_address"]
    health = host["health_status"]
    counts = {one["name"]: one.get("value", 0) for one in host["stats"]}
    flagged = any(value is True for value in health.values())
    well = not flagged and health.get("eds_health_status", "HEALTHY") in ("HEALTHY", "UNKNOWN")
    return (str(where["address"]), int(where["port_value"])), (int(counts["rq_total"]), well)


def _port(address):
    return address["socket_address"]["port_value"]
