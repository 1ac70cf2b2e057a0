"""`perfdb configs` where there is nothing to list, or nothing to load it with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from perfdb.cli.configs import configs
from perfdb.cli.found import find_config
from perfdb.errors import ConfigError, UsageError
from perfdb.settings import load_settings

app = typer.Typer()
app.command()(configs)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_where_there_are_none_the_folder_is_named(root: Path) -> None:
    assert typed().startswith(f"no configs in {root / 'parsl-configs'}. ")
    assert typed("--json").strip() == "[]"


def test_a_python_that_is_not_there_is_a_wrong_use_and_no_fault_of_the_configs(root: Path) -> None:
    (root / "parsl-configs").mkdir()
    (root / "parsl-configs" / "local_one.py").write_text("config = None\n")
    with pytest.raises(UsageError, match="--python no-such-python: there is no such program"):
        typed("--python", "no-such-python")


def test_a_slip_in_a_configs_name_is_answered_with_the_one_that_is_near(root: Path) -> None:
    (root / "parsl-configs").mkdir()
    for name in ("slurm_pocket", "local_htex", "_common"):
        (root / "parsl-configs" / f"{name}.py").touch()
    with pytest.raises(ConfigError, match=r"\(there: local_htex, slurm_pocket\).* Did you mean slurm_pocket\?$"):
        find_config("slurm_poket", load_settings())
    with pytest.raises(ConfigError, match=r"one of those names\.$"):
        find_config("zzz", load_settings())


def test_a_folder_of_configs_that_is_closed_is_told(tmp_path: Path) -> None:
    (tmp_path / "parsl-configs").mkdir(mode=0)
    find = "from perfdb.cli.found import find_config; from perfdb.settings import load_settings; find_config('x', load_settings())"
    plain = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    env = {**os.environ, "PERFDB_ROOT": str(tmp_path)}
    done = subprocess.run([*plain, sys.executable, "-c", find], env=env, capture_output=True, text=True, check=False)
    assert "ConfigError: parsl-configs/ may not be looked into. Open it with `chmod u+rx " in done.stderr
