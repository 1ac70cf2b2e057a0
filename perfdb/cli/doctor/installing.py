"""What to type for software that is missing: by conda in a conda environment, by apt-get on Debian and Ubuntu."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from perfdb.platforms.pocket.programs import is_debian

CHECKOUT = Path(__file__).resolve().parents[3]


def in_conda() -> bool:
    """Whether this Python is a conda environment's."""
    return (Path(sys.prefix) / "conda-meta").is_dir()


def system_package(debian: str, conda: str | None = None) -> str:
    """The command that installs what is no Python package.

    Args:
        debian: Its name in Debian and Ubuntu, several with blanks between.
        conda: Its name in conda-forge, where it is there.
    """
    if conda and in_conda():
        return f"conda install --channel conda-forge {conda}"
    if is_debian():
        return f"{as_root()}apt-get install {debian}"
    known = f"on Debian and Ubuntu: {debian}" + (f"; in conda-forge: {conda}" if conda else "")
    return f"install it with your system's packages ({known})"


def as_root() -> str:
    """What stands before a command that takes an administrator; "" for one."""
    return "" if os.geteuid() == 0 else "sudo "


def pins_anew() -> str | None:
    """The command that brings this environment to the checkout's pins; None where perfdb was not installed from one."""
    if not (CHECKOUT / "requirements" / "base.txt").is_file():
        return None
    if in_conda():
        return f'./step_01_build_conda_env.sh "$(conda info --base)" {Path(sys.prefix).name}'
    if Path(sys.prefix) == CHECKOUT / ".venv":
        return "rm -f .venv/.ready; make setup"  # its stamp tells make that nothing is to be done
    return "python -m pip install --require-hashes -r requirements/base.txt"


def extra(name: str) -> str:
    """The command for one of perfdb's optional parts."""
    return f"python -m pip install 'perfdb[{name}]'"
