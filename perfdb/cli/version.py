"""`--version` of each program: what it is, and with what it measures. Nothing of that is imported to say so."""

from __future__ import annotations

from collections.abc import Callable

import typer

from perfdb import __version__

# What `perfdb.record` says too: importing it takes four times as long as all else that `--version` does.
RECORD_SCHEMA = 1


def perfdb_measures_with() -> str:
    """`perfdb 0.1.0 (…)`: the versions of Parsl, MLflow and Python, and of the form of records."""
    measured = f"Parsl {_installed('parsl')}, MLflow {_installed('mlflow')}, {_python()}"
    return f"perfdb {__version__} ({measured}, record schema {RECORD_SCHEMA})"


def perfdb_runs_on() -> str:
    """`perfdb 0.1.0 (Python …)`, for a program that needs nothing else."""
    return f"perfdb {__version__} ({_python()})"


def telling(line: Callable[[], str], of: str = "") -> Callable[[bool], None]:
    """The option's callback: prints the line, after `PROGRAM of` where the program is not `perfdb`, and ends."""

    def answer(asked: bool) -> None:
        if asked:
            typer.echo(f"{of} of {line()}" if of else line())
            raise typer.Exit

    return answer


def _python() -> str:
    import platform

    return f"Python {platform.python_version()}"


def _installed(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
