"""The batch system that a run's blocks go to, as its record tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from perfdb.parsl_config import ConfigDescription
from perfdb.platforms import Platform
from perfdb.record import sha256_hex
from perfdb.record.environment import LONGEST_SETTING
from perfdb.redaction import Redactor

# `provider.0.partition` where there are several executors.
_PARTITION = re.compile(r"provider(\.\d+)?\.partition")


def settings_of(platform: Platform, config: ConfigDescription, redactor: Redactor) -> dict[str, str] | None:
    """How it is set; None where it does not say.

    Names of this host and of its users are masked. A value that is too long for a record is told by its SHA-256: cut off,
    two that differ might look alike.
    """
    told = platform.settings(_partitions(config.params))
    return {name: _kept(redactor.text(value)) for name, value in told.items()} or None


def _partitions(params: Mapping[str, object]) -> Sequence[str | None]:
    """Where the config's providers send blocks; the default one where none says."""
    named = [value for key, value in params.items() if _PARTITION.fullmatch(key)]
    return [value if isinstance(value, str) else None for value in named] or [None]


def _kept(value: str) -> str:
    return value if len(value) <= LONGEST_SETTING else f"SHA-256 {sha256_hex(value.encode())}"
