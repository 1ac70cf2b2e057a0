"""`mini-slurm wait`."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.mini_slurm.homes import PROGRAM, Home


def test_a_job_that_completed_is_code_0(served: Home) -> None:
    id = served.submitted("true")
    assert (0, f"job {id}: COMPLETED", "") == tuple(
        part.split(",")[0].strip() if isinstance(part, str) else part for part in served.told("wait", str(id))
    )


def test_a_job_that_failed_is_code_3_with_its_reason(served: Home) -> None:
    id = served.submitted("sh -c 'exit 4'")
    code, out, _ = served.told("wait", str(id))
    assert (code, out.startswith(f"job {id}: FAILED")) == (3, True)
    code, out, _ = served.told("wait", "--json", str(id))
    (job,) = json.loads(out)["jobs"]
    assert (code, job["state"], job["exit_code"]) == (3, "FAILED", 4)


def test_of_an_array_those_that_did_not_complete_are_named(served: Home) -> None:
    array = served.submitted("--array", "0-3", "--mem", "8M", "--shell", "exit $((MINI_SLURM_ARRAY_TASK_ID % 2))")
    code, out, _ = served.told("wait", str(array))
    assert (code, out.splitlines()[0]) == (3, "4 jobs: 2 COMPLETED, 2 FAILED")
    assert [f"{array}_1:", f"{array}_3:"] == [line.split()[1] for line in out.splitlines()[1:]]


def test_a_wait_that_is_over_before_the_job_is_code_3(served: Home) -> None:
    id = served.submitted("sleep 600")
    code, out, err = served.told("wait", str(id), "--timeout", "0.1")
    assert (3, f"job {id}: ") == (code, out[: len(f"job {id}: ")])
    assert "1 not ended after 0.1 s" in err
    assert [id] == [row["id"] for row in served.document("queue")["jobs"]]


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf"])
def test_a_time_that_is_none_is_refused(home: Home, seconds: str) -> None:
    id = home.submitted("true")
    code, _, err = home.told("wait", str(id), f"--timeout={seconds}")
    assert (code, "Type seconds, such as --timeout 600." in err) == (2, True)


def test_what_ended_needs_no_scheduler_and_what_waits_does(home: Home) -> None:
    done, waits = home.submitted("true"), home.submitted("true")
    home.told("cancel", str(done))
    assert (3, f"job {done}: CANCELLED") == (home.told("wait", str(done)).code, home.told("wait", str(done)).out[:16])
    code, out, err = home.told("wait", str(waits))
    assert (code, out) == (1, "")
    assert "mini-slurm scheduler" in err


def asks(pid: int) -> bool:
    """Whether it has reached the scheduler."""
    try:
        return any("socket:" in str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:  # what it had open a moment ago
        return False


def test_ctrl_c_ends_the_wait_and_not_the_job(served: Home) -> None:
    id = served.submitted("sleep 600")
    waiting = subprocess.Popen([*PROGRAM, "wait", str(id)], stderr=subprocess.PIPE, text=True, env=served.environment)
    assert waiting.stderr is not None
    while not asks(waiting.pid):
        assert waiting.poll() is None
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=60)
    assert (waiting.returncode, "mini-slurm: interrupted. What was submitted stays" in err) == (130, True)
    assert served.document("show", str(id))["jobs"][0]["state"] == "RUNNING"
