"""`perfdb run … --against REF` on a real Parsl: both sides in turns, compared by their repetitions."""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end.conftest import THREADS, Home

SLOWER = """
import time
from parsl.config import Config
from parsl.executors import ThreadPoolExecutor


class Slower(ThreadPoolExecutor):
    def submit(self, *args, **kwargs):
        time.sleep(0.005)
        return super().submit(*args, **kwargs)


config = Config(executors=[Slower(max_threads=2)])
"""
RUN = ("run", "throughput", "--time", "1.4", "--no-probe")


def slower(home: Home) -> str:
    path = home.root / "slower.py"
    path.write_text(SLOWER)
    return str(path)


def test_a_slower_config_is_called_worse_by_its_repetitions_and_fails_the_check(home: Home):
    done = home.perfdb(*RUN, slower(home), "--against", THREADS, "--reps", "5", "--fail-on", "worse", "--json")
    assert done.returncode == 6, done.stderr
    document = json.loads(done.stdout)
    baseline, other = (record["sitting"]["turns"] for record in document["records"])
    assert (baseline, other) == ([1, 4, 5, 8, 9], [2, 3, 6, 7, 10])
    assert document["comparison"]["compared"] == ["config"]
    (case,) = document["comparison"]["cases"]
    (rate,) = [m for m in case["metrics"] if m["metric"] == "warm_tasks_per_s"]
    assert (rate["unit_of_analysis"], rate["verdict"]) == ("repetition", "worse")
    assert rate["interval"]["high"] < 0.5
    assert sorted(r["run_name"] for r in home.records()) == ["local_threads", "slower"]


def test_the_table_says_what_too_few_repetitions_would_need(home: Home):
    done = home.perfdb(*RUN, slower(home), "--against", THREADS, "--reps", "2")
    assert done.returncode == 0, done.stderr
    assert "too few" in done.stdout and "--against" in done.stdout


def test_what_cannot_be_measured_is_told_before_anything_is(home: Home):
    for reference, words in ((THREADS, "is what is measured anyway"), ("./no-such-folder", "--against")):
        done = home.perfdb(*RUN, THREADS, "--against", reference, "--reps", "2")
        assert done.returncode in (1, 2) and words in done.stderr and "Traceback" not in done.stderr
    assert home.records() == [] and home.journals() == []


def test_one_side_that_fails_is_kept_and_nothing_is_compared(home: Home):
    failing = Path(slower(home))
    failing.write_text(SLOWER.replace("time.sleep(0.005)", "raise RuntimeError('no such luck')"))
    done = home.perfdb(*RUN, str(failing), "--against", THREADS, "--reps", "2", "--json")
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert [record["status"] for record in document["records"]] == ["ok", "failed"]
    assert document["comparison"] is None
