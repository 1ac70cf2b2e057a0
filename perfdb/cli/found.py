"""What was typed, found on this machine: a Parsl config, a Python."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from perfdb.cli.meant import did_you_mean
from perfdb.errors import ConfigError, UsageError
from perfdb.settings import Settings, can_be_a_path, expanded

CONFIG_FOLDER = "parsl-configs"


def config_files(root: Path) -> list[Path]:
    """The configs below a root, by name."""
    return sorted(path for path in (root / CONFIG_FOLDER).glob("*.py") if not path.name.startswith("_"))


def find_config(target: str, settings: Settings) -> Path:
    """The config's file: the path as given, else one of that name in parsl-configs/.

    Raises:
        UsageError: it is too long to be a path.
        ConfigError: there is none, or its folder is closed to us.
    """
    if not can_be_a_path(target):
        raise UsageError(f"CONFIG is too long to be a path ({len(target)} characters). Give a file, or a name.")
    path = expanded(Path(target))
    folder = settings.root / CONFIG_FOLDER
    named = folder / (target if target.endswith(".py") else f"{target}.py")
    plain = "/" not in target
    try:
        if plain and not path.exists() and named.is_file():
            return named
    except PermissionError as error:
        raise ConfigError(
            f"{CONFIG_FOLDER}/ may not be looked into. Open it with `chmod u+rx {folder}`, or give a config's file."
        ) from error
    if plain and not path.exists() and not target.endswith(".py"):
        known = [path.stem for path in config_files(settings.root)]
        raise ConfigError(
            f"there is no file {target!r}, and no config of that name in {CONFIG_FOLDER}/ (there: {', '.join(known) or 'none'}). "
            f"Give a file, or one of those names.{did_you_mean(target, known)}"
        )
    return Path.cwd() / path


def find_python(python: Path | None) -> Path:
    """The Python whose Parsl is meant; ours if none is named.

    Raises:
        UsageError: there is no such program.
    """
    if python is None:
        return Path(sys.executable)
    found = shutil.which(expanded(python))
    if found is None:
        raise UsageError(
            f"--python {python}: there is no such program. Give a Python that has Parsl, such as venv/bin/python."
        )
    return Path(found).absolute()
