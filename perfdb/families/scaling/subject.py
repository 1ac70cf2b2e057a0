"""The service under test, described for a record: where it is reached, without the name of its host and its path."""

from __future__ import annotations

import hashlib
import ipaddress
import platform
from importlib.metadata import version
from urllib.parse import urlsplit

from pydantic import ValidationError

from perfdb.capture.machine import pseudonym
from perfdb.errors import UsageError
from perfdb.families.base import Subject
from perfdb.families.scaling.plan import LoadPlan
from perfdb.parsl_config import ConfigDescription
from perfdb.parsl_config.description import ParamValue
from perfdb.parsl_config.params import fingerprint


def describe(url: str, key: str) -> ConfigDescription:
    """The service behind an address.

    Raises:
        UsageError: the address is none that the load client can speak to.
    """
    try:
        LoadPlan(url=url, shape="burst", sessions=1)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        shown = url if "@" not in url else f"…@{url.rpartition('@')[2]}"  # what stands before it may be a password
        raise UsageError(
            f"{shown[:200]!r} is no service to load: give {why}. For example: perfdb run scaling http://127.0.0.1:8000"
        ) from error
    parts = urlsplit(url)
    host = _shown(parts.hostname or "", key)
    whole = parts.path + (f"?{parts.query}" if parts.query else "")
    params: dict[str, ParamValue] = {
        "service.scheme": parts.scheme,
        "service.host": host,
        "service.port": parts.port or 80,
        "service.path": "/" if whole in ("", "/") else pseudonym(key, whole),
    }
    source = "".join(f"{name} = {value!r}\n" for name, value in params.items())
    return ConfigDescription(
        name=f"service-{host}-{params['service.port']}",
        params=params,
        fingerprint=fingerprint(params),
        source=source,
        source_sha256=hashlib.sha256(source.encode()).hexdigest(),
        executors=(),
        parsl_version="",
        python_version=platform.python_version(),
        python_implementation=platform.python_implementation(),
        packages={"perfdb": version("perfdb")},
        parsl_perf_flags=(),
        monitoring=False,
        usage_tracking=False,
    )


def _shown(host: str, key: str) -> str:
    """Loopback by its address, since it is everybody's; any other host by its pseudonym."""
    try:
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    return pseudonym(key, host)


SUBJECT = Subject(
    metavar="URL",
    option="--url",
    help="The service to load: http://HOST:PORT. Its host and path go into the record by pseudonyms.",
    describe=describe,
)
