"""How jobs are named on the command line."""

from __future__ import annotations

import pytest

from tests.cli.mini_slurm.homes import Home


@pytest.mark.parametrize("command", ["show", "events", "wait", "cancel"])
def test_an_id_that_is_unknown_or_none_is_refused(home: Home, command: str) -> None:
    array = home.submitted("--array", "3-5", "true")
    for name in ("999", f"{array}_9", "99_3"):
        code, out, err = home.told(command, name)
        assert (code, out) == (1, "")
        assert f"mini-slurm: there is no job {name} here. mini-slurm queue --all lists" in err
    for name in ("x", "-1", "1_", "1.5", "12_3_4", "٣", "9" * 40):
        code, out, err = home.told(command, "--", name)
        assert (code, out) == (2, "")
        assert "is no job's id. Type a number, such as 12" in err
    assert home.told(command).code == 2


def test_one_unknown_id_among_others_cancels_nothing(home: Home) -> None:
    id = home.submitted("true")
    assert home.told("cancel", str(id), "999").code == 1
    assert [id] == [row["id"] for row in home.document("queue")["jobs"]]


def test_an_arrays_id_stands_for_all_its_tasks_and_a_name_for_one(home: Home) -> None:
    array = home.submitted("--array", "3-5", "true")
    assert [array, array + 1, array + 2] == [job["id"] for job in home.document("show", str(array))["jobs"]]
    assert [array + 1] == [job["id"] for job in home.document("show", f"{array}_4")["jobs"]]
    assert [array + 1] == [job["id"] for job in home.document("show", str(array + 1))["jobs"]]
    assert [array + 1, array] == [
        job["id"] for job in home.document("show", f"{array}_4", f"{array}_3", f"{array}_4")["jobs"]
    ]


def completed(home: Home, *words: str) -> list[str]:
    line = " ".join(("mini-slurm", *words))
    said = home.told(COMP_WORDS=line, COMP_CWORD=str(len(words)), _MINI_SLURM_COMPLETE="complete_bash")
    assert said.code == 0, said.err
    return said.out.split()


def test_a_shell_completes_commands_and_ids(home: Home) -> None:
    array = home.submitted("--array", "3-4", "true")
    id = home.submitted("true")
    home.told("cancel", str(id))
    assert "scheduler" in completed(home, "sch")
    live = {str(array), f"{array}_3", f"{array}_4"}
    assert live == {word for word in completed(home, "cancel", "''") if word[0].isdigit()}
    assert {*live, str(id)} == {word for word in completed(home, "show", "''") if word[0].isdigit()}
    assert [f"{array}_4"] == completed(home, "events", f"{array}_4")


def test_a_completion_where_there_is_no_mini_slurm_is_empty_and_makes_nothing(home: Home) -> None:
    assert completed(home, "show", "9") == []
    assert list(home.folder.iterdir()) == []


def test_a_completion_that_can_not_read_the_jobs_is_empty(home: Home) -> None:
    (home.folder / ".mini_slurm.db").write_bytes(b"something else, of somebody else's\n" * 9)
    assert completed(home, "show", "9") == []


def test_a_shell_can_be_told_how_to_complete(home: Home) -> None:
    for shell in ("bash", "zsh", "fish"):
        # Else Typer looks for a shell above this process, and a test may have none.
        said = home.told("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
        assert (said.code, "_MINI_SLURM_COMPLETE" in said.out) == (0, True), said.err
