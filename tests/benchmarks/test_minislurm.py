"""The benchmark of mini-slurm runs whole, tells every figure beside its bound, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.figures import Figure, cpu_s, percentile

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CPUS = len(os.sched_getaffinity(0))
BOUNDS = {
    "array of 40 true, by the clock outside": 100,
    "share of the bare loop": 25,
    "submit to start, p50": 20,
    "decision to acknowledgement, p99": 10,
    "CPUs that four threads get, of 1": 1.05,
    f"CPUs that four threads get, of {CPUS}": CPUS * 1.05,
    "CPUs that four threads get, of 1 again": 1.05,
    "  the least share of what was promised": 0.9,
    "idle daemon and fork server": 0.1,
    "mini-slurm queue of 300 jobs, p50": 0.5,
    "submit to start beside that queue, p50": 50,
    "  the policy's part of a pass, p50": 50,
}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="a job can't shrink on one CPU")
def test_a_quick_run_tells_each_bound_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "minislurm.py"), "--quick", "--json"]
    done = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    told = json.loads(done.stdout)
    assert {f["name"]: f["bound"] for f in told["figures"] if f["bound"] is not None} == BOUNDS
    assert [(f["name"], f["value"]) for f in told["figures"] if f["value"] < 0] == []
    assert told["is_met"] == all(f["is_met"] for f in told["figures"])
    # A busy machine may miss a bound, and then it says so by its exit code.
    assert done.returncode == (0 if told["is_met"] else 1)
    assert list(tmp_path.iterdir()) == []
    assert [p for p in psutil.process_iter() if any(str(tmp_path) in word for word in words(p))] == []


def words(process: psutil.Process) -> list[str]:
    """Its command line and its environment."""
    try:
        return [*process.cmdline(), *process.environ().values()]
    except psutil.Error:
        return []


def test_a_bound_is_met_from_its_own_side() -> None:
    met = {
        (value, sense): Figure("", value, "", 25, sense).is_met for value in (24, 25, 26) for sense in ("least", "most")
    }
    assert [value for (value, sense), is_met in met.items() if sense == "least" and is_met] == [25, 26]
    assert [value for (value, sense), is_met in met.items() if sense == "most" and is_met] == [24, 25]
    assert Figure("", 1e9, "").is_met


def test_a_bound_that_is_missed_stands_out() -> None:
    assert "at most 10: NOT MET" in Figure("reaction", 11, "ms", 10).line()
    assert "at most 10: met" in Figure("reaction", 9, "ms", 10).line()


def test_a_percentile_is_one_of_the_values() -> None:
    hundred = list(range(1, 101))
    assert [percentile(hundred, percent) for percent in (50, 99, 100)] == [50, 99, 100]
    assert percentile([7], 50) == 7
    assert percentile([3, 1, 2], 50) == 2


def test_cpu_time_is_that_of_all_of_a_process() -> None:
    before_s = time.process_time()
    measured_s = cpu_s(os.getpid())
    assert before_s <= measured_s <= time.process_time()


def test_cpu_time_of_nobody_is_an_error() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    with pytest.raises(ProcessLookupError):
        cpu_s(gone.pid)


def test_the_bare_loop_runs_each_job_once_and_tells_of_a_failure(tmp_path: Path) -> None:
    def run(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
        folder.mkdir()
        found = shutil.which(program)
        assert found is not None
        command = [sys.executable, "-I", "-S", str(BENCHMARKS / "bare_loop.py"), "5", "2", str(folder), found]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good = run("true", tmp_path / "true")
    assert (good.returncode, good.stderr) == (0, "")
    assert float(good.stdout) > 0
    assert sorted(file.name for file in (tmp_path / "true").iterdir()) == [f"job_{n}.exit" for n in range(5)]
    assert {file.read_text() for file in (tmp_path / "true").iterdir()} == {"0\n"}
    assert run("false", tmp_path / "false").returncode == 1
