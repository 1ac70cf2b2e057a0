"""The tables for people who come from somewhere else: they leave nothing out, and what they say to type can be typed."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer

from perfdb.cli.app import app
from perfdb.cli.mini_slurm.app import app as mini_slurm_app
from perfdb.cli.run import parsl_perf_app
from perfdb.families import FAMILIES
from perfdb.families.scaling.files.runbook import RAW_COLUMNS, SUMMARY_COLUMNS
from perfdb.record import Record
from tests.docs.named_elsewhere import NAMED
from tests.docs.newcomers_walk import NOT_RUN, Walk, walk

CHECKOUT = Path(__file__).parents[2]
PAGE = CHECKOUT / "docs" / "coming-from.md"
PROGRAMS = ("perfdb", "mini-slurm", "run-parsl-perf.py")
BATCH_FILE = "deploy/slurm/serve_single.sh"
# Whose options a row may name without the command.
MEANT = {
    "parsl-perf-runs": "run-parsl-perf.py",
    "the Parsl autoscale scripts": "perfdb run autoscale",
    "openenv-scaling": "perfdb run scaling",
    "mini-slurm's elastic guide": "mini-slurm submit",
    "the Fluence experiments": "perfdb run schedulers",
}


class Row(NamedTuple):
    """A line of a table: whose names, and what does their job."""

    section: str
    names: tuple[str, ...]
    here: str

    @property
    def said(self) -> list[str]:
        """All that stands in backticks in the second column."""
        return re.findall(r"`([^`]+)`", self.here)

    @property
    def same(self) -> tuple[str, ...]:
        """Names that are said to be perfdb's, too."""
        return self.names if self.here.startswith("the same") else ()

    @property
    def commands(self) -> list[str]:
        """Those of perfdb."""
        return [text for text in (*self.said, *self.same) if text.split()[0] in PROGRAMS]


def rows() -> Iterator[Row]:
    section = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## From "):
            section = line.removeprefix("## From ")
        elif line.startswith("| ") and line != "| there | here |":
            there, here = line.strip("| ").split(" | ")
            assert not re.sub(r"`[^`]+`|, ", "", there), f"only names in backticks belong there: {there}"
            yield Row(section, tuple(re.findall(r"`([^`]+)`", there)), here)


ROWS = tuple(rows())


@pytest.mark.parametrize("section", NAMED)
def test_each_table_has_every_name_of_its_document_once_and_no_other(section: str) -> None:
    there = [name for row in ROWS if row.section == section for name in row.names]
    assert sorted(there) == sorted(NAMED[section])


def test_there_is_a_table_for_each_document() -> None:
    assert {row.section for row in ROWS} == set(NAMED) == set(MEANT)


@cache
def program(name: str) -> Any:
    return typer.main.get_command({"perfdb": app, "mini-slurm": mini_slurm_app}.get(name) or parsl_perf_app())


VALUES = {"$OPENENV_URL": "http://127.0.0.1:8000", "$NUM_WORKERS": "2"}


@cache
def parsed(text: str) -> Any:
    """The command that it names, all of whose words were understood; of a bare name, that.

    Raises:
        Exception: an option or a command that does not exist, or a value that cannot be.
    """
    name, *words = (VALUES.get(word, word) for word in shlex.split(text))
    command, context = program(name), None
    while True:
        context = command.make_context(name, words, parent=context, resilient_parsing=not words)
        if not hasattr(command, "list_commands"):
            return command
        name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])


def test_every_command_parses() -> None:
    texts = [text for row in ROWS for text in row.commands]
    assert len(texts) > 60
    assert all(map(parsed, texts))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("perfdb autoscale analyse", "analyse"),
        ("perfdb frobnicate", "frobnicate"),
        ("perfdb run autoscale CONFIG --tusks 3", "tusks"),
        ("perfdb run elsewhere CONFIG", "elsewhere"),
        ("mini-slurm submit --cpus few true", "few"),
    ],
)
def test_what_cannot_be_typed_is_found_out(text: str, why: str) -> None:
    with pytest.raises(Exception, match=why):
        parsed(text)


def options_of(text: str) -> set[str]:
    return {option for parameter in parsed(text).params for option in (*parameter.opts, *parameter.secondary_opts)}


def test_every_option_that_stands_alone_is_one_of_the_commands_that_are_meant() -> None:
    for row in ROWS:
        known = set().union(*map(options_of, (*row.commands, MEANT[row.section])))
        if BATCH_FILE in row.here:
            text = (CHECKOUT / BATCH_FILE).read_text(encoding="utf-8")
            known |= set(re.findall(r"^#SBATCH (--[a-z-]+)", text, re.MULTILINE))
        named = [text for text in (*row.said, *row.same) if text.startswith("-")]
        assert {text.split()[0] for text in named} <= known, row.names


@cache
def sources() -> str:
    """All that runs: where a variable is read, and a file is written."""
    folders = (("perfdb", "py"), ("perfdb", "toml"), ("deploy", "sh"), ("deploy", "toml"), ("parsl-configs", "py"))
    files = [file for folder, ending in folders for file in sorted((CHECKOUT / folder).rglob(f"*.{ending}"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


@cache
def columns() -> frozenset[str]:
    """Every metric, every column of samples and of the runbook's files, every field of a record."""
    samples = re.search(r"^\| `samples\[\]\.columns` .*", read("docs/record.md"), re.MULTILINE)
    assert samples is not None
    imported = read("docs/reference/metrics.md").partition("\n## Imported")[2]
    return frozenset(
        [
            *(name for family in FAMILIES.values() for name in family.metrics),
            *re.findall(r"^\| `(\w+)` \|", imported, re.MULTILINE),
            *re.findall(r"`(\w+)`", samples[0]),
            *(*RAW_COLUMNS, *SUMMARY_COLUMNS, *Record.model_fields),
        ]
    )


def read(file: str) -> str:
    return (CHECKOUT / file).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    place = tmp_path_factory.mktemp("newcomer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERFDB_ROOT", str(place))
        patch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody is there, and runs go on without it
        patch.chdir(place)
        yield walk(place, [text for row in ROWS for text in row.commands])


def test_every_quick_command_does_what_it_is_for(walked: Walk) -> None:
    printed = walked.printed
    assert {"perfdb configs", "perfdb doctor", "perfdb validate", "perfdb export FILE.csv"} <= set(printed)
    measured = printed["perfdb schedulers table --metric total_time_s"]
    assert re.search(r"default +size-2 +10\.5", measured) and re.search(r"simulated:easy +size-3 ", measured)
    assert "efficiency" in printed["perfdb scaling analyze --single ID --multi ID -o FILE.svg"]
    assert json.loads(printed["mini-slurm show 1 --json"])["jobs"][0]["max_cpus"] == 8


def test_what_is_not_run_stands_in_a_table() -> None:
    typed = [text for row in ROWS for text in row.commands]
    assert [start for start in NOT_RUN if not any(text.startswith(start) for text in typed)] == []


def test_every_file_variable_metric_and_column_that_is_named_is_there(walked: Walk) -> None:
    wrong = []
    for row in ROWS:
        said = [text for text in row.said if text not in row.names]
        same = [text for text in row.same if re.fullmatch(r"[\w./-]+", text)]
        wrong += [text for text in (*said, *same) if not is_there(text, walked)]
    assert wrong == []


# How something looks, such as a line that is printed with other numbers.
EXAMPLES = ("2 of 3 nodes have run a task", "$VARIABLES", "4/8")


def is_there(text: str, walked: Walk) -> bool:
    """Whether perfdb has it; commands and options are other tests' matter."""
    words = text.split()
    if text in EXAMPLES:
        return True
    if arm := re.fullmatch(r"kubernetes:(\S+)", text):
        return f"\n[arms.{arm[1]}]" in sources()
    if value := re.fullmatch(r'\w+ = ("\w+")', text):
        return value[1] in sources()
    if words[0] in PROGRAMS or text.startswith("-") or text in walked.names or text in columns():
        return True
    if words[0] == "make":
        return re.search(rf"^{words[1]}:", read("Makefile"), re.MULTILINE) is not None
    if words[:2] == ["pip", "install"]:
        return all(f"\n{extra} = [" in read("pyproject.toml") for extra in re.findall(r"\[(\w+)\]", text))
    if files := [word for word in words if re.fullmatch(r"[\w.][\w./-]*/[\w./-]*", word)]:
        return all((CHECKOUT / file).exists() for file in files)
    if re.fullmatch(r"\w+_(s|share)", text):
        return False  # a metric, or a column
    name = text.removesuffix(".json") if text.endswith(".json") else text
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sources()) is not None


@pytest.mark.parametrize(
    "text", ["node_0_acquisition_s", "jobs.tsv", "perfdb/minislurm/jobs", "make everything", "OPENENV_URI"]
)
def test_what_is_not_there_is_found_out(walked: Walk, text: str) -> None:
    assert not is_there(text, walked)
