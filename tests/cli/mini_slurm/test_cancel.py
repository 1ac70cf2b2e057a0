"""`mini-slurm cancel`."""

from __future__ import annotations

from tests.cli.mini_slurm.homes import Home


def test_a_job_that_waits_leaves_the_queue(home: Home) -> None:
    id = home.submitted("true")
    assert (0, f"job {id}: cancelled before the start\n", "") == home.told("cancel", str(id))
    assert (0, f"job {id}: ended before\n", "") == home.told("cancel", str(id))


def test_a_job_that_runs_ends(served: Home) -> None:
    id = served.submitted("sleep 600")
    while served.document("show", str(id))["jobs"][0]["state"] == "PENDING":
        pass
    assert [{"id": id, "outcome": "ending"}] == served.document("cancel", str(id))["jobs"]
    code, out, _ = served.told("wait", str(id))
    assert (code, out.startswith(f"job {id}: CANCELLED")) == (3, True)


def test_of_many_it_is_counted_what_became_of_them(home: Home) -> None:
    array = home.submitted("--array", "0-29", "true")
    assert home.told("cancel", f"{array}_3", f"{array}_5").out.splitlines() == [
        f"job {array}_3: cancelled before the start",
        f"job {array}_5: cancelled before the start",
    ]
    assert home.told("cancel", str(array)).out == "30 jobs: 28 cancelled before the start, 2 ended before\n"
