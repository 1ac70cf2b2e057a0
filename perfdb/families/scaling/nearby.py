"""What the connection file of the current folder says for options that nobody gave. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from perfdb.errors import UsageError
from perfdb.families.base import Nearby
from perfdb.families.scaling.files.deployed import CONNECTION_FILE
from perfdb.record import Scalar


def _options(url: str, files: Mapping[str, str]) -> dict[str, Scalar]:
    """Envoy's admin, where the file tells of that very service; whatever else lies about says nothing."""
    from perfdb.services.addresses import Address
    from perfdb.services.connection import assignments

    said = assignments(files.get(CONNECTION_FILE, ""))
    if said.get("OPENENV_URL", "").rstrip("/") != url.rstrip("/"):
        return {}
    try:
        return {"admin": str(Address.parsed(f"{said['ENVOY_NODE']}:{said['ENVOY_ADMIN_PORT']}"))}
    except (KeyError, UsageError):
        return {}


NEARBY = Nearby((CONNECTION_FILE,), _options)
