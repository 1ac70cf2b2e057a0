"""What a run was, as far as it may move a number: one value for each dimension, by name. Pure.

Two runs are alike if they agree in every dimension. How often something was repeated is none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any

from perfdb.compare.settings import PREFIX, SETTINGS, in_order
from perfdb.parsl_config.params import NO_SET_UP
from perfdb.record import Host, Record, Scalar

Dimensions = Mapping[str, Scalar]
_HOST = (
    "cpu_model",
    "cpu_count",
    "cpu_usable",
    "cpu_limit",
    "memory_bytes",
    "memory_limit_bytes",
    "os",
    "kernel",
    "architecture",
)
MACHINE = frozenset({"machine", "machine_fingerprint", "workers", *_HOST})
# How often, for how long at most, and what would have made it invalid: no part of what was measured.
_COUNTS = frozenset(
    {"spec.reps", "spec.timeout_s", "spec.acquire_timeout_s", "spec.release_timeout_s", "spec.clock_offset_s"}
)
_IMPORTED_COUNTS = frozenset({"param.jobs"})
# Where a run writes, and for whom it is counted; the config's fingerprint leaves the same out.
_NO_SET_UP = frozenset(f"param.{name}" for name in NO_SET_UP)
_KINDS = {"package": "packages", "param": "params", "override": "overrides", "spec": "spec", SETTINGS: SETTINGS}
EVERY_PARAM = ("every param",)
# What to take for what is compared where nothing says so and several differ, the first of them.
GROUPS = (
    "config",
    "parsl_version",
    "machine",
    "params",
    "overrides",
    "spec",
    "scheduler",
    SETTINGS,
    "python",
    "packages",
    "perfdb_version",
)


def dimensions_of(record: Record) -> dict[str, Scalar]:
    """Every dimension in which something is known of a record."""
    environment, config, origin, measured = record.environment, record.config, record.origin, dict(record.code.measured)
    host = environment.submit_host or Host(pseudonym=None)
    settings = environment.scheduler_settings or {}
    imported = origin.kind == "imported"
    found: dict[str, Scalar] = {
        "family": record.family,
        "origin": f"imported: {origin.source_kind}" if imported else origin.kind,
        "machine": environment.machine,
        "machine_fingerprint": environment.machine_fingerprint,
        **{name: getattr(host, name) for name in _HOST},
        "workers": "; ".join(sorted({_worker(worker) for worker in environment.workers})) or None,
        "python": host.python,
        **{f"package.{name}": version for name, version in host.packages.items() if name != "parsl"},
        "scheduler": environment.scheduler,
        "scheduler_version": environment.scheduler_version,
        **{f"{PREFIX}{name}": settings[name] for name in in_order(settings)},
        "config": config.name if config else None,
        "config_source": config.source_sha256[:12] if config else None,
        **{f"param.{name}": value for name, value in record.params.items()},
        **{f"override.{name}": value for name, value in (record.overrides or {}).items()},
        **{f"spec.{name}": value for name, value in record.spec.items()},
        "parsl_version": measured.pop("parsl", None),
        "parsl_source": measured.pop("parsl_source", None),
        **{f"measured.{name}": version for name, version in measured.items()},
        "perfdb_version": record.code.perfdb_version,
    }
    left_out = _COUNTS | _NO_SET_UP | (_IMPORTED_COUNTS if imported else frozenset())
    return {name: value for name, value in found.items() if value is not None and name not in left_out}


def group_of(dimension: str) -> str:
    """The dimension, or the name for all of its kind, that a difference in it belongs to."""
    if dimension in MACHINE:
        return "machine"
    if dimension == "config_source":
        return "config"
    if dimension in ("parsl_source", "scheduler_version"):
        return {"parsl_source": "parsl_version", "scheduler_version": "scheduler"}[dimension]
    return _KINDS.get(dimension.partition(".")[0] if "." in dimension else "", dimension)


def covers(name: str) -> Callable[[str], bool]:
    """Which dimensions a name stands for: itself, those of its group, and those that follow from it.

    A machine brings its hardware, system and kernel; a scheduler its version and settings; a Parsl version the packages
    that it asks for; a config its source and parameters, and so does each single parameter bring the source that says it.
    """
    if name == "machine":
        return MACHINE.__contains__
    if name in MACHINE:  # the fingerprint says no more than the rest of them together
        return {name, "machine_fingerprint"}.__contains__
    if name == "parsl_version":
        return lambda d: d in ("parsl_version", "parsl_source") or group_of(d) == "packages"
    if name == "config":
        return lambda d: group_of(d) in ("config", "params", "overrides")
    if name in ("param.scheduler", "scheduler"):
        its_own = {"param.scheduler", "scheduler", "scheduler_version"}
        return lambda d: d in its_own or group_of(d) == SETTINGS
    if name in EVERY_PARAM:
        return lambda d: group_of(d) == "params"
    if name == "params":
        return lambda d: group_of(d) == "params" or d == "config_source"
    if name.startswith(("param.", "override.")):
        bare = name.partition(".")[2]
        return {name, "config_source", f"param.{bare}", f"override.{bare}"}.__contains__
    return lambda d: d == name or group_of(d) == name


def covered(names: Collection[str], dimensions: Collection[str]) -> frozenset[str]:
    """The dimensions that any of these names stands for."""
    return _covered(tuple(names), tuple(dimensions))


@functools.lru_cache(maxsize=4096)  # thousands of runs have the same dimensions
def _covered(names: tuple[str, ...], dimensions: tuple[str, ...]) -> frozenset[str]:
    tests = [covers(name) for name in names]
    return frozenset(d for d in dimensions if any(test(d) for test in tests))


def spelled(value: Scalar) -> str:
    """A dimension's value as a message shows it."""
    if value is None:
        return "unknown"
    return repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _worker(host: Host) -> str:
    parts: list[Any] = [host.cpu_model, host.cpu_count, host.memory_bytes, host.os, host.kernel]
    return ", ".join(str(part) for part in parts if part is not None)
