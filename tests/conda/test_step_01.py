"""step_01_build_conda_env.sh, driven with a stand-in conda.

No conda can be had here, so `bin/conda` is a script that writes down what it is asked and lays out the folder that
a real one would; the environment's `bin/python` is such a script too. So these tests see what conda and pip are asked,
not what they then do.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "step_01_build_conda_env.sh"

# Writes one call a line, arguments separated by the unit separator, and keeps what a /dev/fd file holds.
STAND_IN = r"""#!/usr/bin/env bash
{ printf '%s' WHO; printf '\037%s' "$@"; printf '\n'; } >> "$STAND_IN_LOG"
[[ " $* " == *" ${STAND_IN_FAILS-none} "* ]] && exit 7
if [[ $1 == "${STAND_IN_WAITS_AT-}" ]]; then
    echo here > "$STAND_IN_WAITING"
    exec sleep 60
fi
"""
LAY_OUT = r"""
while [[ $1 != --prefix ]]; do shift; done
mkdir -p "$2/conda-meta" "$2/bin" && cp "$STAND_IN_PYTHON" "$2/bin/python"
"""


@dataclass(frozen=True)
class Bench:
    """A conda folder with stand-ins in it, both in paths with spaces."""

    conda_dir: Path
    log: Path
    python: Path

    def run(self, *arguments: str, fails: str = "none", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPT), *arguments],
            env=self.environment | {"STAND_IN_FAILS": fails},
            cwd=cwd or self.conda_dir,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"STAND_IN_LOG": str(self.log), "STAND_IN_PYTHON": str(self.python)}

    @property
    def calls(self) -> list[list[str]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.split("\037") for line in lines]

    def asked_of(self, who: str) -> list[list[str]]:
        return [arguments for name, *arguments in self.calls if name == who]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    conda_dir = tmp_path / "my conda"
    (conda_dir / "bin").mkdir(parents=True)
    conda = conda_dir / "bin" / "conda"
    conda.write_text(STAND_IN.replace("WHO", "conda") + LAY_OUT)
    python = tmp_path / "stand-in python"
    python.write_text(STAND_IN.replace("WHO", "python") + "exit 0\n")
    for program in (conda, python):
        program.chmod(0o755)
    return Bench(conda_dir, tmp_path / "asked", python)


def assert_one_paragraph(result: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert result.returncode == code
    told = [line for line in result.stderr.splitlines() if line.startswith("step_01_build_conda_env.sh: ")]
    assert len(told) == 1
    for word in words:
        assert word in told[0]


def test_the_first_run_creates_the_environment_from_the_pins(bench: Bench, tmp_path: Path):
    result = bench.run(str(bench.conda_dir), "perfdb", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    env_dir = str(bench.conda_dir / "envs" / "perfdb")
    create, install = bench.asked_of("conda")
    assert create == ["create", "--yes", "--prefix", env_dir]
    assert install[:4] == ["install", "--yes", "--prefix", env_dir]
    assert install[4:] == ["--override-channels", "--channel", "conda-forge", "python=3.11", "pip"]
    pinned, own = bench.asked_of("python")
    pip = ["-m", "pip", "install", "--disable-pip-version-check"]
    assert pinned == [*pip, "--require-hashes", "--requirement", str(ROOT / "requirements" / "base.txt")]
    assert own == [*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)]


def test_it_ends_with_the_commands_to_activate_and_they_survive_a_space(bench: Bench):
    result = bench.run(str(bench.conda_dir), "perfdb")
    source, activate = result.stdout.splitlines()[-2:]
    quoted = str(bench.conda_dir / "etc" / "profile.d" / "conda.sh").replace(" ", r"\ ")
    assert source.strip() == f"source {quoted}"
    assert activate.strip() == "conda activate perfdb"


def test_the_second_run_updates_the_same_environment(bench: Bench):
    bench.run(str(bench.conda_dir), "perfdb")
    again = bench.run(str(bench.conda_dir), "perfdb")
    assert again.returncode == 0, again.stderr
    create, first, second = bench.asked_of("conda")
    assert (create[0], first[0]) == ("create", "install")
    assert first == second
    assert len(bench.asked_of("python")) == 4


def test_a_run_after_pip_failed_goes_on_and_creates_nothing_twice(bench: Bench):
    assert bench.run(str(bench.conda_dir), "perfdb", fails="--require-hashes").returncode == 1
    assert bench.run(str(bench.conda_dir), "perfdb").returncode == 0
    assert [asked[0] for asked in bench.asked_of("conda")] == ["create", "install", "install"]


def test_a_run_after_an_interruption_goes_on_where_it_was_cut_short(bench: Bench):
    waiting = bench.log.with_suffix(".waiting")
    os.mkfifo(waiting)
    first = subprocess.Popen(
        [str(SCRIPT), str(bench.conda_dir), "perfdb"],
        env=bench.environment | {"STAND_IN_WAITS_AT": "install", "STAND_IN_WAITING": str(waiting)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    waiting.read_text()  # returns when conda is at work
    os.killpg(first.pid, signal.SIGINT)
    _, told = first.communicate(timeout=30)
    assert first.returncode == 130
    assert told == "step_01_build_conda_env.sh: interrupted; run it again to go on.\n"
    assert bench.run(str(bench.conda_dir), "perfdb").returncode == 0
    assert [asked[0] for asked in bench.asked_of("conda")] == ["create", "install", "install"]


def test_a_folder_that_is_no_environment_is_left_alone(bench: Bench):
    (bench.conda_dir / "envs" / "perfdb").mkdir(parents=True)
    result = bench.run(str(bench.conda_dir), "perfdb")
    assert_one_paragraph(result, 1, "is not a conda environment", "remove it")
    assert bench.calls == []


def test_a_relative_conda_folder_works_from_where_one_stands(bench: Bench):
    result = bench.run("my conda", "perfdb", cwd=bench.conda_dir.parent)
    assert result.returncode == 0, result.stderr
    assert bench.asked_of("conda")[0][3] == str(bench.conda_dir / "envs" / "perfdb")


@pytest.mark.parametrize("arguments", [(), ("one",), ("one", "two", "three")])
def test_a_wrong_number_of_arguments_is_wrong_usage(bench: Bench, arguments: tuple[str, ...]):
    result = bench.run(*arguments)
    assert_one_paragraph(result, 2, "two arguments are needed", f"there were {len(arguments)}")
    assert "Usage:" in result.stderr


def test_a_missing_conda_folder_is_wrong_usage(bench: Bench, tmp_path: Path):
    assert_one_paragraph(bench.run(str(tmp_path / "none"), "perfdb"), 2, "no folder", "conda info --base")


def test_a_folder_without_conda_is_wrong_usage(bench: Bench, tmp_path: Path):
    assert_one_paragraph(bench.run(str(tmp_path), "perfdb"), 2, "no bin/conda", "conda info --base")


@pytest.mark.parametrize("name", ["", "a b", "../up", "-x", "a/b", "a;b", "$(id)", "é", "a\nb", "base"])
def test_a_bad_environment_name_is_wrong_usage_and_conda_is_not_asked(bench: Bench, name: str):
    result = bench.run(str(bench.conda_dir), name)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr and "step_01_build_conda_env.sh: " in result.stderr
    assert bench.calls == []


@pytest.mark.parametrize(
    ("fails", "words", "python_calls"),
    [
        ("create", "conda could not create the environment", 0),
        ("install --yes", "conda could not install Python 3.11", 0),
        ("--require-hashes", "pip could not install the pinned packages", 1),
        ("--no-deps", "pip could not install perfdb itself", 2),
    ],
)
def test_the_step_that_failed_is_named_and_nothing_follows_it(bench: Bench, fails: str, words: str, python_calls: int):
    result = bench.run(str(bench.conda_dir), "perfdb", fails=fails)
    assert_one_paragraph(result, 1, words, "run this again")
    assert len(bench.asked_of("python")) == python_calls
    assert "conda activate" not in result.stdout


def test_help_is_told_on_stdout(bench: Bench):
    for flag in ("-h", "--help"):
        result = bench.run(flag)
        assert (result.returncode, result.stderr) == (0, "")
        assert "CONDA_DIR ENV_NAME" in result.stdout


def test_the_build_tools_and_all_they_need_are_among_the_pins():
    pins = (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==", pins, re.MULTILINE))
    needed, open_ends = set(), ["hatchling", "editables"]
    while open_ends:
        name = open_ends.pop()
        needed.add(name)
        for line in importlib.metadata.requires(name) or []:
            requirement = Requirement(line)
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if applies and requirement.name not in needed:
                open_ends.append(requirement.name)
    assert needed <= pinned
    assert pins.count("==") <= pins.count("--hash=sha256:")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing():
    result = subprocess.run(["shellcheck", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
