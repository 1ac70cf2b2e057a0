"""Which Parsl releases there are, asked of the index that this machine installs from."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from perfdb.errors import ParslInstallError, UsageError
from perfdb.parsl_config.environments import environment
from perfdb.parsl_config.install import is_release
from perfdb.redaction import Identity, Redactor

_FRESH_S = 86400.0
_PATIENCE_S = 120.0
_BY_HAND = "Name the releases by hand, such as --parsl 2024.1.1 --parsl 2025.8.4, or try again with the index in reach"
# pip reads neither of uv's names for an index, nor the other way round: installs use uv.
_INDEX = (("PIP_INDEX_URL", ("UV_DEFAULT_INDEX", "UV_INDEX_URL")), ("PIP_EXTRA_INDEX_URL", ("UV_EXTRA_INDEX_URL",)))


def releases(state_path: Path) -> tuple[str, ...]:
    """Parsl's releases that can be installed here, oldest first: no pre-releases, none that was withdrawn.

    Args:
        state_path: The list is kept below it for a day.

    Raises:
        ParslInstallError: the index does not answer, and no list is kept.
    """
    kept = state_path / "releases.json"
    if (known := _kept(kept)) is not None:
        return known
    try:
        found = in_order(listed(_ask(state_path)))
    except ParslInstallError:
        # An old list is better than none: the index is asked again next time.
        if (old := _kept(kept, fresh_s=float("inf"))) is not None:
            return old
        raise
    _keep(kept, found)
    return found


def listed(said: str) -> list[str]:
    """The releases in what `pip index versions parsl` prints."""
    line = re.search(r"^Available versions:(.*)$", said, re.MULTILINE)
    names = [name.strip() for name in line.group(1).split(",")] if line else []
    return [name for name in names if is_release(name) and not re.search(r"(?:a|b|rc|\.dev)[0-9]+$", name)]


def in_order(names: list[str]) -> tuple[str, ...]:
    """Releases from the oldest to the newest, each once."""
    from packaging.version import Version

    return tuple(sorted(set(names), key=Version))


def expand_releases(text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The releases that a word names, oldest first.

    Args:
        text: `A..B`, all from A to B, both included; `A..B/N`, N of them, evenly spread, the ends included; anything
            else stands for itself, as one release, folder or git reference.
        known: All releases, oldest first.

    Raises:
        UsageError: an end is no release, the ends are the wrong way round, or there are not N.
    """
    match = re.fullmatch(r"([^/@]*?)\.\.(?!/)([^/@]*?)(?:/([^/]*))?", text)
    if match is None:
        return (text,)
    first, last, count = match.groups()
    begin, end = (_place(name, text, known) for name in (first, last))
    if begin > end:
        raise UsageError(f"{text}: {first} is newer than {last}. Type {last}..{first}{f'/{count}' if count else ''}.")
    between = known[begin : end + 1]
    if count is None:
        return between
    if not count.isascii() or not count.isdigit() or not 2 <= int(count[:9]) <= len(between):
        raise UsageError(
            f"{text}: there are {len(between)} releases from {first} to {last}, both included. Type how many of them you "
            f"want, from 2 to {len(between)}, such as {first}..{last}/2; or {first}..{last} for all."
        )
    steps = int(count) - 1
    # Rounded to the nearest, in whole numbers.
    return tuple(between[(2 * step * (len(between) - 1) + steps) // (2 * steps)] for step in range(steps + 1))


def _place(name: str, text: str, known: tuple[str, ...]) -> int:
    if name in known:
        return known.index(name)
    near = nearest(name, known)
    tail = f" The nearest are {' and '.join(near)}." if near else ""
    if not name:
        tail = f" A range has two ends, such as {known[0]}..{known[-1]}." if known else ""
    raise UsageError(f"{text}: {name!r} is no release of Parsl that can be installed here.{tail}")


def nearest(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """The releases just before and after one that does not exist."""
    from packaging.version import InvalidVersion, Version

    try:
        place = sum(Version(one) < Version(name) for one in known)
    except InvalidVersion:
        return ()
    return known[max(0, place - 1) : place + 1]


def _kept(path: Path, fresh_s: float = _FRESH_S) -> tuple[str, ...] | None:
    try:
        if not 0 <= time.time() - path.stat().st_mtime < fresh_s:
            return None
        names = json.loads(path.read_bytes())
        return in_order([name for name in names if is_release(name)]) or None
    except (OSError, ValueError, TypeError):
        return None


def _keep(path: Path, names: tuple[str, ...]) -> None:
    # The list is asked for again tomorrow: nothing is lost if it can't be written.
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_text(json.dumps(names), encoding="utf-8")
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)


def _ask(state_path: Path) -> str:
    env = {"PIP_RETRIES": "1", **os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_COLOR": "1"}
    for name, others in _INDEX:
        value = next((os.environ[other] for other in others if os.environ.get(other)), None)
        if name not in env and value:
            env[name] = value
    try:
        done = subprocess.run(
            [str(_python_with_pip(state_path)), "-m", "pip", "index", "versions", "parsl"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            env=env,
            stdin=subprocess.DEVNULL,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        complaints = [line for line in error.stderr.splitlines() if line.startswith("ERROR")]
        said = Redactor((), Identity.here()).text(" ".join(complaints)[-500:]) or f"status {error.returncode}"
        raise ParslInstallError(f"the package index does not tell Parsl's releases ({said}). {_BY_HAND}.") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        said = "no answer in time" if isinstance(error, subprocess.TimeoutExpired) else str(error.strerror)
        raise ParslInstallError(f"the package index does not tell Parsl's releases ({said}). {_BY_HAND}.") from error
    return done.stdout


def _python_with_pip(state_path: Path) -> Path:
    if importlib.util.find_spec("pip") is not None:
        return Path(sys.executable)
    return environment(state_path, "pip", "pip")
