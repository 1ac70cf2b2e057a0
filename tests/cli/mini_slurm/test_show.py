"""`mini-slurm show`."""

from __future__ import annotations

import json
from dataclasses import fields

from perfdb.minislurm.store.job import Job
from tests.cli.mini_slurm.homes import Home


def test_all_that_the_store_knows_is_in_the_document(home: Home) -> None:
    (job,) = home.document("show", str(home.submitted("true")))["jobs"]
    assert {field.name for field in fields(Job)} == set(job)
    assert (job["state"], job["argv"], job["cpus"]) == ("PENDING", ["true"], 1)


def test_people_read_what_was_asked_for_and_what_became_of_it(served: Home) -> None:
    id = served.submitted("--elastic", "--cpus", "2", "--mem", "64M", "--time", "90", "sh -c 'exit 3'")
    assert served.told("wait", str(id)).code == 3
    code, out, _ = served.told("show", str(id))
    lines = out.splitlines()
    assert (0, f"job {id}: FAILED") == (code, lines[0].split(",")[0])
    said = {line[:14].strip(): line[14:].strip() for line in lines[1:]}
    assert said["command"] == "sh -c 'exit 3'"
    assert "elastic, 2 to 8, started with 2" in said["cpus"]
    assert said["memory"].startswith("64 MB")
    assert (said["time limit"], said["exit code"]) == ("1:30:00", "3")
    assert said["control file"].endswith(f"job_{id}.control")


def test_an_array_is_shown_by_how_its_tasks_stand(home: Home) -> None:
    array = home.submitted("--array", "3-5", "true")
    home.told("cancel", f"{array}_4")
    out = home.told("show", str(array)).out.splitlines()
    assert f"array {array}: 3 jobs: 1 CANCELLED, 2 PENDING" == out[0]
    assert [f"{array}_3", f"{array}_4", f"{array}_5"] == [line.split()[0] for line in out[1:4]]


def test_what_a_job_was_given_as_words_can_not_move_the_cursor(home: Home) -> None:
    id = home.submitted("sh", "\x1b[2J\nx")
    out = home.told("show", str(id)).out
    assert "\x1b" not in out
    assert json.loads(home.told("show", "--json", str(id)).out)["jobs"][0]["argv"] == ["sh", "\x1b[2J\nx"]
