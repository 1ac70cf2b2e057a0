"""What people wrote can be followed: links lead somewhere, commands and variables exist, records are described whole."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel

from perfdb.cli.app import app
from perfdb.cli.mini_slurm.app import MiniSlurmCommands
from perfdb.record import Record
from perfdb.settings import Settings
from tests.tracking.records import save

CHECKOUT = Path(__file__).parents[2]
FOLDERS = ("docs", "deploy", "examples", "parsl-configs", "benchmarks", "requirements")
PAGES = sorted([*CHECKOUT.glob("*.md"), *(page for f in FOLDERS for page in (CHECKOUT / f).rglob("*.md"))])
WRITTEN = [page for page in PAGES if page.parent.name != "reference"]  # the others are made from the commands
NAMES = [page.relative_to(CHECKOUT).as_posix() for page in PAGES]
# Set by perfdb for its children, or read by the configs; no settings of perfdb's own.
OTHER_VARIABLES = {"PERFDB_RUN", "PERFDB_RUN_DIR"}


def prose(text: str) -> str:
    """A page without its code blocks."""
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """What GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(CHECKOUT), link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_below_docs_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [CHECKOUT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in re.findall(r"\]\(([^)#\s:]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if (target := (page.parent / link).resolve()).suffix == ".md" and target.exists():
                waiting.append(target)
    assert set((CHECKOUT / "docs").rglob("*.md")) <= reached


def known_commands() -> set[str]:
    """Every command as it is typed, `perfdb server start`, hidden ones too."""

    def below(path: str, command: Any) -> Iterator[str]:
        yield path
        context = typer.Context(command)
        for name in getattr(command, "list_commands", lambda _: [])(context):
            yield from below(f"{path} {name}", command.get_command(context, name))

    return set(below("perfdb", typer.main.get_command(app)))


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_every_perfdb_command_that_is_named_exists(page: Path) -> None:
    known = known_commands()
    code = "\n".join(re.findall(r"`[^`\n]+`|^ *```.*?^ *```", page.read_text(encoding="utf-8"), re.M | re.S))
    for named in re.findall(r"(?<![\w/.@-])perfdb ([a-z]+)", code):
        assert f"perfdb {named}" in known


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.relative_to(CHECKOUT).as_posix())
def test_every_command_of_mini_slurm_that_is_named_exists(page: Path) -> None:
    code = "\n".join(re.findall(r"`[^`\n]+`|^ *```.*?^ *```", page.read_text(encoding="utf-8"), re.M | re.S))
    assert set(re.findall(r"(?<![\w/.@-])mini-slurm ([a-z]+)", code)) <= set(MiniSlurmCommands.entries)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_perfdb_variable_that_is_named_exists(page: Path) -> None:
    known = {f"PERFDB_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    for config in (CHECKOUT / "parsl-configs").glob("*.py"):
        known |= set(re.findall(r"PERFDB_SITE_[A-Z_]+", config.read_text(encoding="utf-8")))
    known.add("PERFDB_SITE_NAME")  # the pattern that the naming rules give
    assert set(re.findall(r"PERFDB_[A-Z_]*[A-Z]", page.read_text(encoding="utf-8"))) - {"PERFDB_SITE"} <= known


def fields_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every field of a model and of the models in it: `environment.workers[].cpu_count`."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                many = "[]" if kind is not field.annotation and "tuple" in str(field.annotation) else ""
                yield from fields_of(kind, f"{prefix}{name}{many}.")


def test_every_field_of_a_record_is_in_the_table_that_describes_it() -> None:
    text = (CHECKOUT / "docs" / "record.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    described = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    # A worker is described like the submit host, a load like the other one.
    same = {"environment.workers[]": "environment.submit_host", "environment.load_at_end": "environment.load_at_start"}
    asked = list(fields_of(Record))
    assert "metrics[].unit" in asked and "environment.workers[].pseudonym" in asked
    for field in asked:
        where, _, name = field.rpartition(".")
        assert f"{same.get(where, where)}.{name}".lstrip(".") in described


def test_the_shell_lines_that_verify_a_record_agree_with_perfdb(tmp_path: Path) -> None:
    text = (CHECKOUT / "docs" / "record.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```sh\n(sha256sum --check.*?)```", text, re.DOTALL)
    entry = save(tmp_path)
    done = subprocess.run(["sh", "-e", "-c", lines], cwd=entry.folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split()[0] == entry.record.record_id


def test_a_page_names_no_machine_and_no_home() -> None:
    for page in PAGES:
        found = re.findall(r"(?<![\w.…:/-])/(?:root|work|tmp|home/\w+)/\S*", page.read_text(encoding="utf-8"))
        assert not found, f"{page.name}: {found}"
