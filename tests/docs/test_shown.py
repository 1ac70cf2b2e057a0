"""What the first page shows of the first history in `mlruns/` is what the commands make of it now."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.places import MACHINE

CHECKOUT = Path(__file__).parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
PICTURE = "docs/pictures/history.svg"
MOST_BYTES = 60_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout in which nothing was measured since: `make demo` adds a record to this one."""
    for part in ("_machines", "throughput"):
        shutil.copytree(CHECKOUT / "mlruns" / part / MACHINE, tmp_path / "mlruns" / part / MACHINE)
    return tmp_path


def perfdb(folder: Path, *arguments: str) -> str:
    """What a command prints there."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PERFDB_", "MLFLOW_"))}
    env = {**ours, "PERFDB_ROOT": str(folder), "LC_ALL": "C.UTF-8"}
    command = [str(Path(sys.executable).with_name("perfdb")), *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout


def test_the_history_is_that_of_the_records_here(folder: Path) -> None:
    (shown,) = re.findall(r"```text\n(warm_tasks_per_s by version.*?)```", README, re.DOTALL)
    lines = iter(perfdb(folder, "history", "warm_tasks_per_s").splitlines())
    assert [line for line in shown.splitlines() if line != "..." and line not in lines] == []


def words_and_marks(picture: str) -> tuple[list[str], list[tuple[float, ...]]]:
    """What is written in it, and where its points and bars lie beside one another; fonts move neither."""
    marks = [
        re.findall(r"translate\(([-\d.]+),([-\d.]+)\)", group) for group in re.findall(r"mark-symbol.*?</g>", picture)
    ]
    return re.findall(r"<text[^>]*>([^<]+)<", picture), [tuple(map(float, mark)) for group in marks for mark in group]


def test_the_picture_is_what_its_command_draws(folder: Path) -> None:
    page = (CHECKOUT / "docs" / "first-history.md").read_text(encoding="utf-8")
    (command,) = re.findall(rf"^perfdb (plot .* -o {PICTURE} .*)$", page, re.MULTILINE)
    perfdb(folder, *shlex.split(command.replace(PICTURE, "again.svg")))
    kept, again = (words_and_marks(path.read_text()) for path in (CHECKOUT / PICTURE, folder / "again.svg"))
    assert kept[0] == again[0]
    assert len(kept[1]) == 26
    assert [pytest.approx(mark, abs=0.01) for mark in kept[1]] == again[1]


def test_the_picture_is_small_and_readable_on_a_dark_page() -> None:
    """It brings its own white background."""
    text = (CHECKOUT / PICTURE).read_text(encoding="utf-8")
    assert len(text) < MOST_BYTES
    assert re.match(r'<svg [^>]*><rect [^>]*fill="white"/>', text)
    assert f"]({PICTURE})" in README
