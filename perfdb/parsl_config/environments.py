"""Isolated environments, made with uv: one for each thing that can be installed, never replaced while it is whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from perfdb.errors import ParslInstallError
from perfdb.processes.lock import Lock
from perfdb.record import sha256_hex
from perfdb.redaction import Identity, Redactor

INSTALL_TIMEOUT_S = 600.0
# Sites and companies sign with certificates of their own, which the system knows.
_SYSTEM_CERTIFICATES = {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"}


def environment(state_path: Path, key: str, *requirements: str) -> Path:
    """The Python of an environment that has `requirements`; whoever names the same `key` finds the same one again.

    Args:
        key: Says all that the environment holds, so that another key never stands for the same folder.

    Raises:
        ParslInstallError: it does not install; quotes the installer. Nothing half made is left.
    """
    name = sha256_hex(f"{sys.version_info[:2]}\0{key}".encode())[:16]
    home = state_path / "envs" / name
    python = home / "bin" / "python"
    with Lock(state_path / "locks" / f"env-{name}", wait_s=INSTALL_TIMEOUT_S):
        # The Python below it may have been removed meanwhile.
        if (home / "complete").exists() and python.exists():
            return python
        shutil.rmtree(home, ignore_errors=True)
        try:
            uv("venv", "--quiet", "--python", sys.executable, str(home))
            uv("pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *requirements)
            (home / "complete").touch()
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
    return python


def uv(*arguments: str) -> None:
    """Run uv with its own configuration.

    Raises:
        ParslInstallError: it failed; quotes what it said.
    """
    from uv import find_uv_bin

    try:
        subprocess.run(
            [find_uv_bin(), *arguments],
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=INSTALL_TIMEOUT_S,
            env={**_SYSTEM_CERTIFICATES, **os.environ},
            stdin=subprocess.DEVNULL,
        )
    except subprocess.CalledProcessError as error:
        said = Redactor((), Identity.here()).text(error.stderr.strip()[-1500:])
        raise ParslInstallError(
            f"that Parsl could not be installed. The installer says: {' '.join(said.split()).rstrip('.')}. Check the version or reference "
            "and your network, and try again."
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ParslInstallError(
            f"uv, which installs another Parsl, did not work: {error}. Try again, or use --python EXE."
        ) from error
