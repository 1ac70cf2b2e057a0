"""What the Tab key offers: asked of real shells where they are here."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from perfdb.cli.app import app

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PROGRAMS = {
    "perfdb": "_PERFDB_COMPLETE",
    "mini-slurm": "_MINI_SLURM_COMPLETE",
    "run-parsl-perf.py": "_RUN_PARSL_PERF.PY_COMPLETE",
}
# Presses Tab after the words it is given, and prints what bash would offer, one a line.
TAB = """
function_of() { complete -p "$1" | sed -E 's/.*-F ([^ ]+) .*/\\1/'; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
"$(function_of "$1")" "$1" "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with an empty home and a results repository: two configs and a record's folder."""
    root = tmp_path_factory.mktemp("results")
    (root / "parsl-configs").mkdir()
    for name in ("local_htex", "slurm_hopper"):
        (root / "parsl-configs" / f"{name}.py").touch()
    for record in ("3f2a000000000000", "3f2b000000000000"):
        folder = root / "mlruns" / "throughput" / "hopper" / "2026-11" / record
        folder.mkdir(parents=True)
        (folder / "record.json").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PERFDB_", "MLFLOW_"))}
    return {**kept, "HOME": str(root), "PERFDB_ROOT": str(root), "PATH": f"{BIN}:{os.environ['PATH']}"}


@functools.cache
def _script(program: str, shell: str, root: str) -> str:
    asked = {"PATH": os.environ["PATH"], "HOME": root, PROGRAMS[program]: f"source_{shell}"}
    return subprocess.run([BIN / program], env=asked, capture_output=True, text=True, check=True).stdout


def script(program: str, shell: str, world: dict[str, str]) -> str:
    """The completion script, as `--install-completion` writes it for that shell."""
    return _script(program, shell, world["HOME"])


def offered(world: dict[str, str], *words: str) -> list[str]:
    """What bash offers after these words."""
    done = subprocess.run(
        ["bash", "-c", script(words[0], "bash", world) + TAB, "bash", *words],
        env=world,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("perfdb con", ["contribute", "configs"]),
        ("perfdb run sch", ["schedulers"]),
        ("perfdb init --d", ["--dry-run"]),
        ("perfdb run throughput slurm", ["slurm_hopper"]),
        ("perfdb show 3f2", ["3f2a000000000000", "3f2b000000000000"]),
        ("perfdb nosuch x", []),
        ("run-parsl-perf.py loc", ["local_htex"]),
        ("mini-slurm sub", ["submit"]),
    ],
)
def test_bash_offers(words: str, expected: list[str], world: dict[str, str]) -> None:
    assert offered(world, *words.split()) == expected


@pytest.mark.parametrize(
    ("command", "name", "typed", "expected"),
    [
        ("compare", "sides", "hop", ["hopper"]),
        ("compare", "metric", "warm_task", ["warm_tasks_per_s"]),
        ("history", "metric", "warm_task", ["warm_tasks_per_s"]),
        ("history", "config", "sl", ["slurm_hopper"]),
        ("plot ratios", "metric", "cold_start_s", ["cold_start_s"]),
        ("plot history", "metric", "cold_start_s", ["cold_start_s"]),
        ("bisect", "metric", "cold_start_s", ["cold_start_s"]),
        ("list", "machine", "", ["hopper"]),
        ("list", "experiment", "", ["throughput"]),
        ("list", "status", "in", ["interrupted", "invalid"]),
        ("import", "kind", "op", ["openenv"]),
        ("sweep", "family", "el", ["elastic"]),
        ("run throughput", "against", "loc", ["local_htex"]),
        ("run schedulers", "target", "size", ["size-2", "size-2-3"]),
        ("run elastic", "target", "mini", ["mini-slurm"]),
        ("schedulers workload", "source", "cl", ["clog"]),
    ],
)
def test_an_argument_or_an_option_offers(
    command: str, name: str, typed: str, expected: list[str], world: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked in this process, as the shells' scripts ask in one of their own."""
    monkeypatch.setenv("PERFDB_ROOT", world["PERFDB_ROOT"])
    found: Any = typer.main.get_command(app)
    for word in command.split():
        found = found.get_command(typer.Context(found), word)
    (parameter,) = (each for each in found.params if each.name == name)
    assert [item.value for item in parameter.shell_complete(typer.Context(found), typed)] == expected


def test_the_clusters_that_are_offered_are_this_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Empty folders in place of clusters, which take seconds to start."""
    from perfdb.cli.completing import complete_cluster
    from perfdb.platforms.pocket import places

    monkeypatch.setattr(places, "ROOT", tmp_path)
    for name in ("pocket", "other"):
        (tmp_path / f"perfdb-{os.getuid()}-{name}").mkdir(mode=0o700)
    assert complete_cluster("po") == ["pocket"]


def test_what_is_installed_for_bash_is_there_in_the_next_shell(world: dict[str, str], tmp_path: Path) -> None:
    at_home = {**world, "HOME": str(tmp_path)}
    subprocess.run(["bash", "-c", "perfdb --install-completion; true"], env=at_home, capture_output=True, check=True)
    next_shell = subprocess.run(
        ["bash", "-c", "source ~/.bashrc; complete -p perfdb"], env=at_home, capture_output=True, text=True, check=True
    )
    assert next_shell.stdout.endswith("-F _perfdb_completion perfdb\n")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("shell", "check"), [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "--no-execute"])]
)
def test_the_script_is_one_that_the_shell_can_read(
    shell: str, check: list[str], program: str, world: dict[str, str], tmp_path: Path
) -> None:
    """Without the shell here, only that it is printed and asks the program by the variable that it answers to."""
    text = script(program, shell, world)
    assert f"{PROGRAMS[program]}=complete_{shell}" in text
    if shutil.which(shell):
        (tmp_path / "script").write_text(text)
        done = subprocess.run([*check, str(tmp_path / "script")], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("shell", "asked"),
    [
        ("zsh", {"_TYPER_COMPLETE_ARGS": "perfdb con"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "perfdb con", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_the_answer_to_other_shells_has_the_commands_with_what_they_do(
    shell: str, asked: dict[str, str], world: dict[str, str]
) -> None:
    """As their scripts ask: a double for the shells, which may not be here."""
    env = {**world, **asked, "_PERFDB_COMPLETE": f"complete_{shell}"}
    said = subprocess.run([BIN / "perfdb"], env=env, capture_output=True, text=True, check=True).stdout
    assert "configs" in said and "List the configs in parsl-configs" in said
    assert "history" not in said
