"""This machine: its label, its hosts' pseudonyms, its load."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
from collections.abc import Mapping
from typing import Any

from perfdb.capture.facts import facts
from perfdb.errors import UsageError
from perfdb.processes.identity import machine_id
from perfdb.record import LABEL_RULE, Host, Load, fingerprint, is_label

# What a machine is, as against what it is doing or runs at the moment.
_LASTING = ("cpu_model", "cpu_count", "memory_bytes", "os", "kernel", "architecture")


def host_key(registry_salt: str) -> str:
    """The key that turns host names into pseudonyms, one for each registry.

    It is derived from the random id that the operating system was given when it was installed: stable without a file
    of ours to lose, and not to be guessed from the pseudonyms. Where there is none, the host name alone must do.
    """
    return hmac.new(machine_id().encode(), f"perfdb\0{registry_salt}".encode(), hashlib.sha256).hexdigest()


def pseudonym(key: str, name: str) -> str:
    """What stands for a host's name, the same in all of a registry that share the key."""
    return hmac.new(key.encode(), name.encode(errors="replace"), hashlib.sha256).hexdigest()[:12]


def machine_label(chosen: str | None, key: str) -> str:
    """The label that records of this machine carry: the one chosen, else a stable pseudonym of this host.

    Raises:
        UsageError: the chosen one cannot name a folder.
    """
    if chosen is None:
        return "m-" + hmac.new(key.encode(), socket.gethostname().encode(), hashlib.sha256).hexdigest()[:10]
    if not is_label(chosen):
        raise UsageError(
            f"the machine label {chosen!r} cannot name a folder: use {LABEL_RULE}. Try again with --machine LABEL."
        )
    return chosen


def submit_host(key: str, packages: Mapping[str, str], python: str) -> Host:
    """The host we run on, with the Python that is measured and the versions of the packages that matter to it."""
    return host_from({**facts(key), "python": python}, packages)


def host_from(found: Mapping[str, Any], packages: Mapping[str, str] | None = None) -> Host:
    """A Host from what `facts` returned, there or on a worker."""
    return Host.model_validate({**found, "packages": dict(packages or {})})


def machine_document(host: Host) -> dict[str, Any]:
    """What this machine is, without what changes from run to run."""
    return host.model_dump(mode="json", include=set(_LASTING), exclude_none=True)


def machine_fingerprint(host: Host) -> str:
    """Equal machines share it; a new kernel or more memory changes it."""
    return fingerprint(machine_document(host))


def load_now() -> Load | None:
    """The load averages, where the system has them."""
    try:
        one, five, fifteen = os.getloadavg()
    except (OSError, AttributeError):
        return None
    return Load(one=round(one, 2), five=round(five, 2), fifteen=round(fifteen, 2))
