"""`mini-slurm submit`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.mini_slurm.homes import Home


def test_only_the_id_goes_to_standard_output(home: Home) -> None:
    code, out, err = home.told("submit", "--cpus", "1", "true")
    assert (code, out) == (0, "Submitted job 1\n")
    assert err.startswith("mini-slurm: note: no scheduler runs")


def test_an_array_is_one_submission(home: Home) -> None:
    assert home.told("submit", "--array", "0-1999", "true").out == "Submitted array 1 (2,000 jobs)\n"
    assert home.told("submit", "--array", "7", "true").out == "Submitted array 2001 (1 job)\n"


def test_with_json_the_notes_are_in_the_document(home: Home) -> None:
    code, out, err = home.told("submit", "--json", "--array", "1-3", "no-such-program-here")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert (document["id"], document["job_count"], document["is_array"]) == (1, 3, True)
    assert any("no-such-program-here" in note for note in document["notes"])


def test_what_follows_the_commands_first_word_is_the_commands(home: Home) -> None:
    id = home.submitted("--cpus", "1", "sh", "x.sh", "--cpus", "3", "--json", "-h", "--", "a b")
    assert home.document("show", str(id))["jobs"][0]["argv"] == [
        "sh",
        "x.sh",
        "--cpus",
        "3",
        "--json",
        "-h",
        "--",
        "a b",
    ]


def test_two_dashes_may_stand_before_the_command(home: Home) -> None:
    id = home.submitted("--", "sh", "--", "x")
    assert home.document("show", str(id))["jobs"][0]["argv"] == ["sh", "--", "x"]


def test_all_that_was_asked_for_is_stored(home: Home) -> None:
    id = home.submitted(
        *("--elastic", "--cpus", "1", "--min-cpus", "1", "--max-cpus", "1", "--mem", "32MB"),
        *("--priority", "-5", "--time", "1-00:30:00", "sh -c 'exit 3'"),
    )
    job = home.document("show", str(id))["jobs"][0]
    assert job["argv"] == ["sh", "-c", "exit 3"]
    assert (job["is_elastic"], job["cpus"], job["min_cpus"], job["max_cpus"]) == (True, 1, 1, 1)
    assert (job["mem_mb"], job["priority"], job["limit_s"]) == (32, -5, 88_200.0)
    assert str(home.folder) == job["cwd"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--cpus", "-4", "true"), "at least one CPU. Type --cpus 1"),
        (("--cpus=0", "true"), "at least one CPU. Type --cpus 1"),
        (("--cpus", "99999", "true"), "more than this machine offers"),
        (("--cpus", "many", "true"), "'many' is no whole number"),
        (("--elastic", "--cpus", "1", "--min-cpus", "2", "true"), "--min-cpus 2 is more than"),
        (("--max-cpus", "2", "true"), "Add --elastic"),
        (("--mem", "lots", "true"), "is no amount of memory"),
        (("--mem", "-4GB", "true"), "is no amount of memory"),
        (("--mem", "9999T", "true"), "this machine offers"),
        (("--time", "soon", "true"), "is no time"),
        (("--array", "0-100000", "true"), "more than 100,000 tasks"),
        (("--array", "x", "true"), "names no indices"),
        (("--priority", str(2**63), "true"), "does not fit into 64 bits"),
        (("--priority", "high", "true"), "'high' is no whole number"),
        ((), "there is no command to run"),
        (("",), "there is no command to run"),
        (("echo 'x",), "can't be split into words"),
        (("--shell", "echo", "x"), "Quote it"),
        (("--no-such", "true"), "No such option: --no-such"),
        (("echo", "caf\udce9"), "no UTF-8 text"),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_is_stored(home: Home, words: tuple[str, ...], says: str) -> None:
    code, out, err = home.told("submit", *words)
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err
    assert home.document("queue", "--all")["jobs"] == []


def test_a_folder_that_is_gone_is_told_in_a_paragraph(home: Home) -> None:
    gone = home.folder / "gone"
    done = home.told_after(f"mkdir {gone}; cd {gone}; rmdir {gone}", "submit", "true")
    assert done[:2] == (2, "")
    assert "current folder was removed" in done.err
    assert "Traceback" not in done.err


def test_a_job_runs_where_and_with_what_it_was_submitted(served: Home) -> None:
    id = served.told("submit", "--shell", "pwd; echo $GREETING; echo oops >&2", GREETING="hello").out.split()[-1]
    assert served.told("wait", id).code == 0
    job = served.document("show", id)["jobs"][0]
    assert f"{served.folder}\nhello\n" == Path(job["stdout"]).read_text()
    assert Path(job["stderr"]).read_text() == "oops\n"


def test_a_task_knows_its_index(served: Home) -> None:
    array = served.submitted("--array", "3,5", "--shell", "echo $MINI_SLURM_ARRAY_JOB_ID $MINI_SLURM_ARRAY_TASK_ID")
    assert served.told("wait", str(array)).code == 0
    said = [Path(job["stdout"]).read_text() for job in served.document("show", str(array))["jobs"]]
    assert [f"{array} 3\n", f"{array} 5\n"] == said


def test_what_a_scheduler_offers_counts_and_not_the_machine(home: Home) -> None:
    home.start("--mem", "500M")
    assert home.told("submit", "--cpus", "8", "--mem", "500", "true").code == 0
    assert "more than this machine offers: 8. " in home.told("submit", "--cpus", "9", "true").err
    assert "offers 500 MB" in home.told("submit", "--mem", "501", "true").err
    home.close()
    assert home.told("submit", "--cpus", "8", "true").code == 0


def test_an_elastic_job_of_a_scheduler_that_resizes_none_brings_a_note(home: Home) -> None:
    home.start("--disable-elastic")
    assert "resizes no jobs" in home.told("submit", "--elastic", "--mem", "1M", "true").err
