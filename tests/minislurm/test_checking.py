"""What was typed becomes a request, or a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perfdb.errors import UsageError
from perfdb.minislurm.checking import Typed, checked
from perfdb.minislurm.request import Request

BIN = {"PATH": "/usr/bin:/bin"}


def asked(*command: str, offered: int = 8, **options: Any) -> tuple[Request, tuple[str, ...]]:
    """Checked against a machine of 8 CPUs and 8,000 MB."""
    typed = Typed(command or ("sh", "-c", "true"), **options)
    return checked(typed, cpus=offered, mem_mb=8000, env=BIN, cwd="/")


def test_a_job_of_which_nothing_is_said_gets_one_cpu_and_a_gigabyte() -> None:
    request, notes = asked("sh", "x")
    assert request == Request(("sh", "x"), BIN, "/", "sh", 1, 1, 1, 1024, 0, False)
    assert notes == ()


def test_the_default_memory_is_never_more_than_there_is() -> None:
    assert checked(Typed(["sh"]), cpus=1, mem_mb=300, env=BIN, cwd="/")[0].mem_mb == 300


def test_an_elastic_job_may_by_default_grow_to_the_whole_machine_and_not_shrink() -> None:
    request, _ = asked(elastic=True, cpus=2)
    assert (request.min_cpus, request.cpus, request.max_cpus) == (2, 2, 8)


def test_an_elastic_job_starts_with_its_least_where_no_start_was_typed() -> None:
    assert asked(elastic=True, min_cpus=3)[0].cpus == 3


def test_one_quoted_string_is_split_into_words() -> None:
    assert asked("sh -c 'echo a  b' x\\ y")[0].argv == ("sh", "-c", "echo a  b", "x y")


def test_words_are_passed_on_as_they_are() -> None:
    assert asked("sh", "a b", "$HOME", "--cpus")[0].argv == ("sh", "a b", "$HOME", "--cpus")


def test_a_shell_runs_only_when_it_is_asked_for() -> None:
    assert asked("sh x | wc")[0].argv == ("sh", "x", "|", "wc")
    request, notes = asked("sort x | wc", shell=True)
    assert (request.argv, request.name, notes) == (("/bin/sh", "-c", "sort x | wc"), "sort", ())


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("sh x | wc", "|"),
        ("sh x; sh y", "x;"),
        ("sh x >out.txt", ">out.txt"),
        ("sh x 2>/dev/null", "2>/dev/null"),
        ("sh $HOME/x", "$HOME/x"),
        ('sh "$HOME/x y"', '"$HOME/x y"'),
        ("sh ~/x", "~/x"),
        ("sh `date`", "`date`"),
    ],
)
def test_the_signs_of_a_shell_bring_a_note(line: str, sign: str) -> None:
    (note,) = asked(line)[1]
    assert note == f"{sign} is passed to the program as it stands; with --shell, a shell runs the line"


def test_a_variable_before_the_program_brings_a_note() -> None:
    assert any(note.startswith("X=1 is passed to the program as it stands") for note in asked("X=1 sh x")[1])


@pytest.mark.parametrize("line", ["sh -c 'echo $HOME | wc; true'", "sh x {} \\;", "sh --lr=0.1 a~b x;y $1"])
def test_what_no_shell_would_act_on_brings_none(line: str) -> None:
    assert asked(line)[1] == ()


def test_a_program_that_is_not_there_brings_a_note_and_is_taken(tmp_path: Path) -> None:
    for program in ("no-such-program-here", "./no-such", str(tmp_path)):
        request, (note,) = asked(program, "x")
        assert program == request.argv[0]
        assert f"no program {program!r} is found now" in note


def test_a_file_that_can_not_be_executed_brings_a_note(tmp_path: Path) -> None:
    (tmp_path / "mine.sh").write_text("#!/bin/sh\n")
    _, (note,) = checked(Typed(["./mine.sh"]), cpus=1, mem_mb=1, env=BIN, cwd=str(tmp_path))
    assert note.startswith("'./mine.sh' can't be executed now") and note.endswith("chmod +x ./mine.sh")


def test_a_program_beside_the_job_that_was_named_without_its_folder_brings_a_hint(tmp_path: Path) -> None:
    (tmp_path / "mine.sh").write_text("#!/bin/sh\n")
    _, (note,) = checked(Typed(["mine.sh"]), cpus=1, mem_mb=1, env=BIN, cwd=str(tmp_path))
    assert note.endswith("(or is ./mine.sh meant?)")


def test_a_program_is_looked_for_from_the_jobs_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.sh").write_text("#!/bin/sh\n")
    (tmp_path / "mine.sh").chmod(0o755)
    assert checked(Typed(["./mine.sh"]), cpus=1, mem_mb=1, env=BIN, cwd=str(tmp_path))[1] == ()


def test_an_option_after_a_quoted_command_brings_a_note() -> None:
    notes = asked("sh x.sh", "--cpus", "2")[1]
    assert any("--cpus is taken as the program's" in note for note in notes)


def test_a_maximum_above_the_machine_is_the_machine_with_a_note() -> None:
    request, notes = asked(offered=2, elastic=True, cpus=2, min_cpus=2, max_cpus=8)
    assert request.max_cpus == 2
    assert notes == ("--max-cpus 8 is taken as 2, all that this machine offers",)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"cpus": -4}, r"^--cpus -4: .* at least one CPU\. Type --cpus 1, or more\.$"),
        ({"cpus": 0}, r"^--cpus 0: .* Type --cpus 1, or more\.$"),
        ({"cpus": 9}, r"^--cpus 9 is more than this machine offers: 8\. Type --cpus 8, or fewer\.$"),
        ({"elastic": True, "min_cpus": 0}, r"^--min-cpus 0: .* Type"),
        ({"elastic": True, "max_cpus": -1}, r"^--max-cpus -1: .* Type"),
        ({"elastic": True, "min_cpus": 9}, r"^--min-cpus 9 is more than this machine offers"),
        ({"elastic": True, "cpus": 2, "min_cpus": 3}, r"^--min-cpus 3 is more than --cpus 2.*Type --cpus 3 or more\.$"),
        ({"elastic": True, "cpus": 4, "max_cpus": 3}, r"^--cpus 4 is more than --max-cpus 3"),
        (
            {"elastic": True, "cpus": 4, "min_cpus": 1, "max_cpus": 3},
            r"^--cpus 4 is more than --max-cpus 3\. Type --cpus 3 or fewer\.$",
        ),
        ({"elastic": True, "min_cpus": 5, "max_cpus": 3}, r"^--min-cpus 5 is more than --max-cpus 3"),
        ({"min_cpus": 1}, r"^--min-cpus is for elastic jobs\. Add --elastic"),
        ({"max_cpus": 4}, r"^--max-cpus is for elastic jobs\. Add --elastic"),
        ({"mem": "plenty"}, "is no amount of memory"),
        ({"mem": "-1GB"}, "is no amount of memory"),
        ({"mem": "8001"}, r"^--mem 8001 is 8,001 MB, and this machine offers 8,000 MB\. Type --mem 8000M, or less\.$"),
        ({"priority": 2**63}, "does not fit into 64 bits"),
        ({"priority": -(2**63) - 1}, "does not fit into 64 bits"),
        ({"time": "soon"}, "is no time"),
        ({"array": "x"}, "names no indices"),
    ],
)
def test_what_can_not_be_is_refused_with_the_reason(options: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        asked(**options)


@pytest.mark.parametrize("priority", [-(2**63), 2**63 - 1])
def test_a_priority_of_64_bits_is_taken(priority: int) -> None:
    assert priority == asked(priority=priority)[0].priority


@pytest.mark.parametrize(
    ("command", "shell", "why"),
    [
        ([], False, "there is no command"),
        ([""], False, "there is no command"),
        (["  \n"], False, "there is no command"),
        (["", "x"], False, "there is no command"),
        (["'' x"], False, "there is no command"),
        (["  "], True, "there is no command"),
        (["sort 'x"], False, r"can't be split into words: no closing quotation"),
        (["sort x\\"], False, r"can't be split into words: no escaped character"),
        (["sort", "x"], True, "Quote it"),
        (["sort", "a\0b"], False, "NUL byte"),
        (["sort", "caf\udce9"], False, "no UTF-8 text"),
        (["sort caf\udce9"], True, "no UTF-8 text"),
    ],
)
def test_what_is_no_command_is_refused_with_the_reason(command: list[str], shell: bool, why: str) -> None:
    with pytest.raises(UsageError, match=why) as refused:
        checked(Typed(command, shell=shell), cpus=8, mem_mb=8000, env=BIN, cwd="/")
    str(refused.value).encode()  # it can be printed


def test_a_folder_whose_name_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="the current folder has bytes"):
        checked(Typed(["sh"]), cpus=8, mem_mb=8000, env=BIN, cwd="/caf\udce9")
