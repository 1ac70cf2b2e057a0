"""Another Parsl, in an environment of its own: a release, a folder, or a commit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

from perfdb.errors import ParslInstallError
from perfdb.processes.lock import Lock
from perfdb.record import sha256_hex
from perfdb.redaction import Identity, Redactor
from perfdb.settings import can_be_a_path, expanded

INSTALL_TIMEOUT_S = 600.0
UPSTREAM = "git+https://github.com/Parsl/parsl"
_RELEASE = re.compile(r"[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,2}(?:(?:a|b|rc|\.dev|\.post)[0-9]+)?|[01]\.[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True)
class InstalledParsl:
    """A Python that has the Parsl asked for, and where that came from unless it is a plain release."""

    python: Path
    source: str | None


def install(asked: str, state_path: Path) -> InstalledParsl:
    """Make, or find again, an environment with that Parsl.

    Args:
        asked: `2025.8.4`; a folder; `FOLDER@REF` for a commit of a checkout; `git+URL@REF`; or a plain REF of Parsl's
            own repository.
        state_path: Environments are kept below it, one for each release or commit.

    Raises:
        ParslInstallError: there is no such thing, or it does not install; quotes the installer.
    """
    if not can_be_a_path(asked):
        raise ParslInstallError(f"--parsl: {len(asked)} characters are no release, no folder and no git reference.")
    folder, _, ref = asked.rpartition("@")
    if _RELEASE.fullmatch(asked):
        return InstalledParsl(_environment(state_path, f"parsl=={asked}", key=asked), None)
    if expanded(Path(asked)).is_dir():
        return _from_folder(expanded(Path(asked)).resolve(), state_path)
    if folder and expanded(Path(folder)).is_dir():
        return _from_commit(expanded(Path(folder)).resolve(), ref, state_path)
    if asked.startswith(("-", ".", "/", "~")) or not asked.isprintable() or " " in asked:
        raise ParslInstallError(
            f"--parsl {asked!r} is no release, no folder here and no git reference. Give 2025.8.4, ../parsl, "
            "../parsl@my-branch, master or git+https://…@REF."
        )
    url = asked if asked.startswith("git+") else f"{UPSTREAM}@{asked}"
    # A branch moves, so its environment is made anew each time.
    return InstalledParsl(_environment(state_path, f"parsl @ {url}", key=None), Redactor().text(url))


def _from_folder(folder: Path, state_path: Path) -> InstalledParsl:
    from perfdb.gitrepo import checkout_of

    if not any((folder / name).is_file() for name in ("pyproject.toml", "setup.py")):
        raise ParslInstallError(
            f"--parsl {folder.name}: that folder holds no Python project (no pyproject.toml or setup.py). Give the top of a "
            "Parsl checkout."
        )
    checkout = checkout_of(folder)
    source = (
        f"commit {checkout.commit}{' with uncommitted changes' if checkout.dirty else ''}" if checkout else "a folder"
    )
    return InstalledParsl(_environment(state_path, str(folder), key=None), source)


def _from_commit(folder: Path, ref: str, state_path: Path) -> InstalledParsl:
    from perfdb.gitrepo import commit_of, export

    commit = commit_of(folder, ref)
    if commit is None:
        raise ParslInstallError(
            f"--parsl {folder.name}@{ref}: that checkout knows no commit {ref!r}. `git log` there lists them."
        )
    tree = state_path / "envs" / f"tree-{uuid.uuid4().hex}"
    try:
        export(folder, commit, tree)
        return InstalledParsl(_environment(state_path, str(tree), key=commit), f"commit {commit}")
    finally:
        shutil.rmtree(tree, ignore_errors=True)


def _environment(state_path: Path, requirement: str, key: str | None) -> Path:
    """A Python with `requirement`; an environment with the same `key` is used again, one without a key is replaced."""
    envs = state_path / "envs"
    name = sha256_hex(f"{sys.version_info[:2]}\0{key or requirement}".encode())[:16]
    home = envs / name
    python = home / "bin" / "python"
    with Lock(state_path / "locks" / f"env-{name}", wait_s=INSTALL_TIMEOUT_S):
        if key is not None and (home / "complete").exists():
            return python
        shutil.rmtree(home, ignore_errors=True)
        try:
            _uv("venv", "--quiet", "--python", sys.executable, str(home))
            # Releases up to 2024 use pkg_resources without asking for it.
            _uv("pip", "install", "--quiet", "--python", str(python), requirement, "setuptools<81")
            (home / "complete").touch()
        except ParslInstallError:
            shutil.rmtree(home, ignore_errors=True)
            raise
    return python


def _uv(*arguments: str) -> None:
    from uv import find_uv_bin

    try:
        subprocess.run(
            [find_uv_bin(), *arguments],
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=INSTALL_TIMEOUT_S,
            # Sites and companies sign with certificates of their own, which the system knows.
            env={"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true", **os.environ},
            stdin=subprocess.DEVNULL,
        )
    except subprocess.CalledProcessError as error:
        said = Redactor((), Identity.here()).text(error.stderr.strip()[-1500:])
        raise ParslInstallError(
            f"that Parsl could not be installed. The installer says: {' '.join(said.split())}. Check the version or reference "
            "and your network, and try again."
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ParslInstallError(
            f"uv, which installs another Parsl, did not work: {error}. Try again, or use --python EXE."
        ) from error
