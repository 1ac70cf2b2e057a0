"""What surrounds the code keeps its word: settings, help, citation, hooks, policies."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from perfdb import __version__
from perfdb.cli.app import app
from perfdb.cli.mini_slurm.app import app as mini_slurm_app
from perfdb.cli.run import parsl_perf_app
from perfdb.settings import Settings, load_settings

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
STARTER = CHECKOUT / "perfdb" / "cli" / "starter" / "files"


def text_of(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


# CONTRIBUTING.md


def test_the_rooms_are_those_of_the_contract_from_top_to_bottom() -> None:
    tools = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in tools if contract["type"] == "layers"]
    (told,) = re.findall(r"```text\n(.*?)```", text_of("CONTRIBUTING.md"), re.DOTALL)
    rooms = [re.split(r"  +", line)[0] for line in told.splitlines()]
    assert [room for room in rooms if room] == layers


# perfdb.toml


def with_all_in_force() -> str:
    """The example with the `#` taken from each setting."""
    return re.sub(r"^# (?=\w+ = )", "", (STARTER / "perfdb.toml").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_page_shows_the_file_that_init_writes() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", text_of("docs/how-to/own-repository.md"), re.DOTALL)
    assert shown == (STARTER / "perfdb.toml").read_text(encoding="utf-8")


def test_as_it_stands_the_example_changes_nothing(tmp_path: Path) -> None:
    plain = load_settings(root=tmp_path)
    (tmp_path / "perfdb.toml").write_bytes((STARTER / "perfdb.toml").read_bytes())
    assert load_settings(root=tmp_path) == plain


def test_the_example_has_every_setting_with_its_default_or_a_value_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PERFDB_{name.upper()}", raising=False)
    (tmp_path / "perfdb.toml").write_text(with_all_in_force(), encoding="utf-8")
    loaded = load_settings(root=tmp_path)
    given = tomllib.loads(with_all_in_force())
    assert set(given) == set(Settings.model_fields) - {"root"}
    for name, value in given.items():
        assert str(getattr(loaded, name)) == str(value)
        if (default := Settings.model_fields[name].default) is not None:
            assert str(default) == str(value)


# Help


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that `--help` shows, and the programs, by what is typed."""

    def below(path: str, command: Any) -> Iterator[tuple[str, Any]]:
        yield path, command
        context = typer.Context(command)
        for name in getattr(command, "list_commands", lambda _: [])(context):
            found = command.get_command(context, name)
            if not found.hidden:
                yield from below(f"{path} {name}", found)

    yield from below("perfdb", typer.main.get_command(app))
    yield from below("run-parsl-perf.py", typer.main.get_command(parsl_perf_app()))
    yield from below("mini-slurm", typer.main.get_command(mini_slurm_app))


COMMANDS = dict(commands())
LEAVES = [path for path, command in COMMANDS.items() if not hasattr(command, "list_commands")]
GROUPS = [path for path in COMMANDS if path not in LEAVES]
# Those that end with a code of their own besides 0, 1 and 2, as docs/reference/exit-codes.md has it.
WITH_OWN_CODES = {
    "perfdb run autoscale": 4,
    "perfdb run elastic": 4,
    "perfdb run scaling": 4,
    "perfdb run schedulers": 4,
    "perfdb run throughput": 4,
    "run-parsl-perf.py": 4,
    "perfdb sweep": 3,
    "perfdb bisect": 4,
    "perfdb reproduce": 4,
    "perfdb list": 5,
    "perfdb export": 5,
    "perfdb import": 5,
    "perfdb compare": 6,
    "perfdb history": 5,
    "perfdb report": 5,
    "perfdb validate": 5,
    "perfdb contribute": 5,
    "perfdb preflight": 5,
    "mini-slurm wait": 3,
}


def help_of(path: str) -> str:
    command = COMMANDS[path]
    return f"{command.help or ''}\n{command.epilog or ''}"


def test_all_commands_are_looked_at() -> None:
    assert {"perfdb init", "perfdb server stop", "perfdb run elastic", "mini-slurm wait"} <= set(LEAVES)
    assert {"perfdb", "perfdb run", "mini-slurm"} <= set(GROUPS)


@pytest.mark.parametrize("path", LEAVES)
def test_a_command_says_what_it_is_for_and_gives_examples_of_itself(path: str) -> None:
    purpose, _, rest = help_of(path).partition("\n")
    assert re.match(r"[A-Z].*[^,]$", purpose)
    examples = re.findall(r"(?:^|\x08)\s*Examples:\n((?:  +.*\n?)+)", rest, re.MULTILINE)
    assert len(examples) == 1
    assert re.search(rf"(?<![\w-]){re.escape(path)}(?![\w-])", examples[0])


@pytest.mark.parametrize("path", LEAVES)
def test_every_option_and_argument_says_what_it_is(path: str) -> None:
    for parameter in COMMANDS[path].params:
        assert parameter.help, parameter.name


@pytest.mark.parametrize("path", GROUPS)
def test_a_group_has_a_whole_sentence_for_each_of_its_commands(path: str) -> None:
    if hasattr(COMMANDS[path], "entries"):  # its lines stand in a table of their own
        return
    context = typer.Context(COMMANDS[path])
    names = COMMANDS[path].list_commands(context)
    room = 72 - max(map(len, names))  # what a terminal of 80 columns leaves beside them
    for name in names:
        assert not COMMANDS[f"{path} {name}"].get_short_help_str(room).endswith("...")


@pytest.mark.parametrize("path", WITH_OWN_CODES)
def test_a_command_with_an_exit_code_of_its_own_names_it(path: str) -> None:
    told = " ".join(help_of(path).split())
    assert re.search(rf"[Ee]xit codes?\b[^.]*\b{WITH_OWN_CODES[path]}\b", told) or re.search(
        rf"exit code is then {WITH_OWN_CODES[path]}\b", told
    )


# CITATION.cff


class Entity(BaseModel):
    """A group that is an author."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1)]


class Citation(BaseModel):
    """The part of the Citation File Format 1.2.0 that is used here; its schema asks for the first four."""

    model_config = ConfigDict(extra="forbid")
    cff_version: Annotated[Literal["1.2.0"], Field(alias="cff-version")]
    message: Annotated[str, Field(min_length=1)]
    title: Annotated[str, Field(min_length=1)]
    authors: Annotated[list[Entity], Field(min_length=1)]
    type: Literal["software", "dataset"]
    abstract: Annotated[str, Field(min_length=1)]
    version: str
    license: str
    keywords: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    date_released: Annotated[date | None, Field(alias="date-released")] = None
    repository_code: Annotated[HttpUrl | None, Field(alias="repository-code")] = None


def test_the_citation_is_valid_and_of_this_version() -> None:
    cited = Citation.model_validate(yaml.safe_load(text_of("CITATION.cff")))
    assert (cited.title, cited.version, cited.license) == (PROJECT["name"], __version__, PROJECT["license"])
    assert len(set(cited.keywords)) == len(cited.keywords)


# Hooks


def hooks() -> list[dict[str, Any]]:
    (repository,) = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    found: list[dict[str, Any]] = repository["hooks"]
    return found


def test_the_hooks_fetch_nothing_and_are_there_after_make_setup() -> None:
    for hook in hooks():
        assert hook["language"] == "system"
        program = Path(hook["entry"].split()[0])
        assert program.parent == Path(".venv/bin")
        assert Path(sys.executable).with_name(program.name).exists()


def test_make_says_what_to_do_without_a_python_and_makes_nothing(tmp_path: Path) -> None:
    argv = ["make", "-C", str(CHECKOUT), f"VENV={tmp_path}/venv", "PYTHON=nosuchpython", "demo"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "There is no nosuchpython on PATH. Install Python 3.11" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_hooks_before_a_commit_are_what_make_lint_asks() -> None:
    (lint,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", text_of("Makefile"), re.MULTILINE)
    asked = {line.strip().removeprefix("$(BIN)/").removesuffix(" .") for line in lint.splitlines()}
    before_commit = [hook for hook in hooks() if hook.get("stages") is None]
    assert asked == {
        hook["entry"].removeprefix(".venv/bin/").removesuffix(" --force-exclude") for hook in before_commit
    }


def test_the_hook_before_a_push_names_tests_that_exist() -> None:
    (reference,) = (hook for hook in hooks() if hook.get("stages") == ["pre-push"])
    assert (CHECKOUT / reference["entry"].split()[-1]).is_file()


# Policies


def test_a_policy_names_no_person_and_no_mailbox() -> None:
    for name in ("SECURITY.md", "docs/deprecation.md", "CITATION.cff"):
        assert not re.search(r"\S@\S|\bhttps?://|family-names|given-names", text_of(name)), name


def test_the_promise_names_the_oldest_python_and_parsl_that_the_project_does() -> None:
    told = text_of("docs/deprecation.md")
    assert f"Python from {PROJECT['requires-python'].removeprefix('>=')} on" in told
    (parsl,) = (need.removeprefix("parsl>=") for need in PROJECT["dependencies"] if need.startswith("parsl"))
    assert f"Parsl from {parsl} on" in told


def test_where_nothing_is_deprecated_the_changelog_says_nothing_else() -> None:
    deprecated = re.findall(r"^### Deprecated$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert bool(deprecated) != ("Nothing is deprecated today." in text_of("docs/deprecation.md"))
