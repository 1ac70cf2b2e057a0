"""`mini-slurm stats`."""

from __future__ import annotations

from tests.cli.mini_slurm.homes import Home


def test_before_the_first_scheduler_it_says_how_to_start_one(home: Home) -> None:
    home.submitted("true")
    code, out, _ = home.told("stats")
    assert (code, "does not run; start it with: mini-slurm scheduler" in out) == (0, True)
    found = home.document("stats")
    assert (found["counts"]["PENDING"], found["offer"], found["scheduler_pid"]) == (1, None, None)


def test_jobs_cpus_and_waits_are_counted(served: Home) -> None:
    done = served.submitted("--mem", "8M", "true")
    served.told("wait", str(done))
    runs = served.submitted("--cpus", "2", "--mem", "100M", "sleep 600")
    while served.document("show", str(runs))["jobs"][0]["state"] == "PENDING":
        pass
    found = served.document("stats")
    assert (found["counts"]["COMPLETED"], found["counts"]["RUNNING"]) == (1, 1)
    assert (found["cpus_promised"], found["utilisation_percent"], found["mem_mb_promised"]) == (2, 25.0, 100)
    assert {"mean", "median", "longest"} == set(found["waits_s"])
    out = served.told("stats").out
    assert "2 CPUs (25 %), 100 MB" in out
    assert "8 CPUs, overcommitted" in out
    assert found["offer"]["enforcement"] in out
