"""The reference pages say what the code says."""

from __future__ import annotations

import importlib.util
import re
import socket
from pathlib import Path
from types import ModuleType

import pytest
import typer

from perfdb import errors
from perfdb.cli.app import app
from perfdb.cli.mini_slurm.app import app as mini_slurm_app
from perfdb.cli.run import parsl_perf_app
from perfdb.families import FAMILIES
from perfdb.settings import Settings

CHECKOUT = Path(__file__).parents[2]
REFERENCE = CHECKOUT / "docs" / "reference"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", CHECKOUT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def test_the_pages_are_those_that_the_code_makes_on_any_machine(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made again in another folder, by somebody with other settings and another terminal; else: `make docs`."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "COLUMNS": "61",
        "FORCE_COLOR": "1",
        "LC_ALL": "C",
        "PERFDB_ROOT": "/somewhere",
        "PERFDB_MACHINE": "elsewhere",
        "PERFDB_CONFIG_TIMEOUT_S": "7",
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    again = tmp_path / "reference"
    generate.write(again)
    assert {p.name for p in again.iterdir()} == {p.name for p in REFERENCE.iterdir()}
    for page in sorted(again.iterdir()):
        assert page.read_bytes() == (REFERENCE / page.name).read_bytes(), f"docs/reference/{page.name}: run `make docs`"


def test_no_page_names_the_machine_that_it_was_made_on_or_colours_anything() -> None:
    for page in REFERENCE.iterdir():
        text = page.read_text(encoding="utf-8")
        assert str(CHECKOUT) not in text
        assert str(Path.home()) + "/" not in text
        assert socket.gethostname() not in text
        assert "\x1b" not in text
        assert not re.search(r"(?<![\w.…:/])/(home|root|tmp|usr|var|work)/", text)


def test_every_command_and_every_option_is_documented() -> None:
    sections = dict(re.findall(r"^## (.+?)\n\n```text\n(.*?)```", read("cli.md"), re.MULTILINE | re.DOTALL))
    seen = set()

    def see(path: str, command: typer.core.TyperCommand | typer.core.TyperGroup) -> None:
        seen.add(path)
        for parameter in command.params:
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert not option.startswith("--") or option in sections[path], f"{path} {option}"
        context = typer.Context(command)
        for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
            below = command.get_command(context, name)
            if not below.hidden:
                see(f"{path} {name}", below)

    see("perfdb", typer.main.get_command(app))
    see("run-parsl-perf.py", typer.main.get_command(parsl_perf_app()))
    see("mini-slurm", typer.main.get_command(mini_slurm_app))
    assert seen == set(sections)
    assert {"perfdb server start", "perfdb run throughput", "mini-slurm submit"} <= seen


def test_every_setting_is_documented_with_its_default() -> None:
    rows = {row.split("`")[1]: row for row in read("settings.md").splitlines() if row.startswith("| `")}
    assert set(rows) == {f"PERFDB_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        row = rows[f"PERFDB_{name.upper()}"]
        assert field.description and field.description in row
        if not field.is_required() and field.default is not None:
            assert f"| `{field.default}` |" in row


def test_every_metric_of_every_family_is_documented_with_unit_and_direction(generate: ModuleType) -> None:
    text = read("metrics.md")
    for family in FAMILIES.values():
        assert f"\n## {family.name}\n" in text
        for name, metric in family.metrics.items():
            if generate.is_alike(name):
                first = re.sub(r"arm[2-6]_(?!less)", "arm1_", re.sub(r"arm[2-6]_less", "arm2_less", name))
                assert f"| `{first.removeprefix('simulated_')}` | {metric.unit} | {metric.direction} |" in text
                continue
            assert f"| `{name}` | {metric.unit} | {metric.direction} | {metric.definition} |" in text


def test_every_exit_code_and_every_error_is_documented() -> None:
    text = read("exit-codes.md")
    for name, value in vars(errors).items():
        if name.startswith("EXIT_"):
            assert f"\n| {value} | " in text
        if isinstance(value, type) and issubclass(value, errors.PerfdbError):
            assert f"| `{name}` | {value.exit_code} |" in text
