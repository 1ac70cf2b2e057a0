"""`--version` of each program: what it is, what it measures with, and at once."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from perfdb import __version__
from perfdb.cli.version import RECORD_SCHEMA
from perfdb.record.model import SCHEMA_VERSION

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    ("program", "begins"), [("perfdb", "perfdb"), ("run-parsl-perf.py", "run-parsl-perf.py of perfdb")]
)
def test_the_line_names_what_measures_and_what_is_measured(program: str, begins: str) -> None:
    done = subprocess.run([BIN / program, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == (
        f"{begins} {__version__} (Parsl {version('parsl')}, MLflow {version('mlflow')}, Python {platform.python_version()}, "
        f"record schema {SCHEMA_VERSION})\n"
    )


def test_the_schema_that_it_names_is_the_records() -> None:
    assert RECORD_SCHEMA == SCHEMA_VERSION


def test_nothing_that_it_names_is_imported_to_say_so() -> None:
    program = (
        "import sys; sys.argv = ['perfdb', '--version']\n"
        "from perfdb.cli.app import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print(*({'parsl', 'mlflow', 'pydantic', 'pandas', 'perfdb.record'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "\n"


def test_without_a_package_it_still_answers(tmp_path: Path) -> None:
    """Metadata that cannot be found, as in a folder of copied packages."""
    program = (
        "import importlib.metadata as m, sys; sys.argv = ['perfdb', '--version']\n"
        "def gone(name): raise m.PackageNotFoundError(name)\n"
        "m.version = gone\n"
        "from perfdb.cli.app import app\n"
        "app()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "(Parsl not installed, MLflow not installed, Python " in done.stdout
