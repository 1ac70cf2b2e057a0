"""`mini-slurm show`."""

from __future__ import annotations

import json
import re
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


def test_a_job_that_waits_says_for_what(home: Home) -> None:
    first = home.submitted("--cpus", "2", "sleep", "600")
    assert waits_for(home, first) == "a scheduler, and none runs: mini-slurm scheduler"
    home.start()
    home.told("cancel", str(first))
    home.told("wait", str(first))
    running, wide, last = (home.submitted("--mem", "8M", "--cpus", cpus, "sleep", "600") for cpus in ("5", "4", "1"))
    while home.document("show", str(running))["jobs"][0]["state"] == "PENDING":
        pass
    assert re.fullmatch(
        r"4 CPUs and 8 MB: 3 CPUs and [0-9,]+ MB are free; it is the next one", waits_for(home, wide) or ""
    )
    assert str(waits_for(home, last)).endswith("are free; 1 job before it in the queue")
    assert waits_for(home, running) is None


def test_a_job_that_a_smaller_scheduler_can_not_start_says_so(home: Home) -> None:
    id = home.submitted("--cpus", "2", "--mem", "8M", "true")
    home.start("--cpus", "1")
    assert str(waits_for(home, id)).startswith("2 CPUs and 8 MB: the scheduler that runs offers 1 CPU and ")


def waits_for(home: Home, id: int) -> str | None:
    """What `show` says that it waits for, None where it says nothing."""
    found = re.search(r"^  waits for +(.*)$", home.told("show", str(id)).out, re.M)
    return found and found[1]
