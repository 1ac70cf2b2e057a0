"""What all commands of mini-slurm have in common."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from perfdb import __version__
from perfdb.cli.mini_slurm.app import MiniSlurmCommands
from tests.cli.mini_slurm.homes import Home


@pytest.mark.parametrize("command", sorted(MiniSlurmCommands.entries))
def test_every_command_has_an_example_and_a_document(home: Home, command: str) -> None:
    code, out, _ = home.told(command, "--help")
    assert code == 0
    assert f"\n    mini-slurm {command}" in out
    assert "--json" in out


def test_no_command_loads_what_takes_long(home: Home) -> None:
    id = home.submitted("true")
    for words in (
        ["queue"],
        ["show", str(id)],
        ["events", str(id)],
        ["submit", "--cpus", "1", "true"],
        ["stats"],
        ["cancel", str(id)],
    ):
        watched = (
            "import sys\nfrom perfdb.cli import mini_slurm\n"
            f"sys.argv = ['mini-slurm', *{words!r}]\n"
            "try:\n    mini_slurm()\n"
            "finally:\n    print(*sorted({'pydantic', 'pydantic_core', 'rich', 'pandas', 'numpy', 'asyncio'} & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", watched], capture_output=True, text=True, env=home.environment, check=True
        )
        assert done.stdout.splitlines()[-1] == ""


def test_an_error_is_told_by_the_name_that_was_typed(home: Home) -> None:
    said = home.told("show", "9")
    assert said.err.startswith("mini-slurm: ")
    assert said.err.count("\n") == 1


def test_its_version_is_perfdbs_and_pythons(home: Home) -> None:
    assert f"mini-slurm of perfdb {__version__} (Python {platform.python_version()})\n" == home.told("--version").out


def test_a_database_of_another_program_is_left_alone(home: Home) -> None:
    (home.folder / ".mini_slurm.db").write_bytes(b"something else, of somebody else's\n" * 9)
    for words in (["queue"], ["submit", "true"], ["stats"], ["scheduler"]):
        code, out, err = home.told(*words)
        assert (code, out) == (1, "")
        assert err.startswith("mini-slurm: ") and "Traceback" not in err
    assert (home.folder / ".mini_slurm.db").read_bytes().startswith(b"something else")
