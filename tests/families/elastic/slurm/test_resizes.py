"""Single resizes of a running job of a real Slurm."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from perfdb.families.elastic.events import Allocation, Cost, Note
from tests.families.elastic.slurm.arms import by_hand, in_order
from tests.platforms.clusters import Cluster, within

# A job that looks at its file just then acknowledges before it is signalled.
SHRINK = ["decided", "written", "acknowledged", "applied", "granted"]
GROW = ["decided", "granted", "written", "acknowledged", "applied"]
# A growth to 3, a shrink to 1: ten times each, by steps of one and of two nodes.
TO = [2, 3, 2, 1, 4, 1, 3, 2, 4, 3, 4, 2, 3, 1, 2, 1, 4, 2, 3, 1]


def test_a_job_is_told_of_each_of_ten_shrinks_and_ten_growths(cluster: Cluster, tmp_path: Path) -> None:
    with by_hand(cluster, tmp_path / "run", {"to": TO}, SLURM_JOB_ID="4711", SLURM_JOBID="4711") as child:
        child.until(lambda answer: isinstance(answer, Note) and answer.text.startswith("ready"))
        assert child.wait().outcome == "all"
        resizes = child.resizes()
        assert [(r["decided"].cpus_from, r["decided"].cpus_to) for r in resizes] == list(
            zip([1, *TO], TO, strict=False)
        )
        shrinks = [r for r in resizes if r["decided"].cpus_to < r["decided"].cpus_from]
        assert len(shrinks) == len(resizes) - len(shrinks) == 10
        for resize in resizes:
            assert in_order(resize) == (SHRINK if resize in shrinks else GROW)
            assert resize["signalled"].ns > resize["written"].ns
            assert resize["signalled"].processes == 1
            assert (resize["acknowledged"].by, resize["applied"].by) == ("job", "job")
        assert len([answer for answer in child.answers if isinstance(answer, Cost)]) == 20
        allocations = [answer.cpus for answer in child.answers if isinstance(answer, Allocation)]
        assert allocations == [1, *TO, 0]
    told = (tmp_path / "run" / "jobs" / "job_1.told").read_text().splitlines()
    assert [json.loads(line)["generation"] for line in told] == list(range(1, 21))
    assert not list(tmp_path.rglob("slurm_job_*_resize.*"))


def test_a_growth_for_which_no_node_is_free_is_withdrawn(cluster: Cluster, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with by_hand(cluster, tmp_path / "run", {"to": [2], "go": str(go)}) as child:
        child.until(lambda answer: isinstance(answer, Note) and answer.text.startswith("ready"))
        other = cluster.submit("sleep 600", "--nodes=3", "--exclusive")
        try:
            within(
                30, lambda: cluster.ask("squeue", "--noheader", f"--job={other}", "--format=%T").strip() == "RUNNING"
            )
            go.touch()
            child.until_resize("withdrawn")
            assert set(child.resizes()[0]) == {"decided", "withdrawn"}
            assert child.wait().outcome == "all"
            assert cluster.active() == [other]
        finally:
            cluster.ask("scancel", other)
        assert [answer.cpus for answer in child.answers if isinstance(answer, Allocation)] == [1, 0]


def test_a_growth_that_slurm_refuses_at_the_last_leaves_no_helper(cluster: Cluster, tmp_path: Path) -> None:
    path = _refusing(cluster, tmp_path, "NumNodes=0")
    with by_hand(cluster, tmp_path / "run", {"to": [2], "nodes": 1, "then": "wait"}, PATH=path) as child:
        child.until_resize("withdrawn")
        assert len(within(30, lambda: jobs if len(jobs := cluster.active()) == 1 else [])) == 1
        (tmp_path / "run" / "go_on").touch()
        assert child.wait().outcome == "all"
        assert set(child.resizes()[0]) == {"decided", "withdrawn"}


def test_a_shrink_that_slurm_refuses_is_taken_back(cluster: Cluster, tmp_path: Path) -> None:
    path = _refusing(cluster, tmp_path, "NodeList=")
    with by_hand(cluster, tmp_path / "run", {"to": [1], "nodes": 3}, PATH=path) as child:
        child.until_resize("withdrawn")
        child.until(lambda answer: isinstance(answer, Note) and answer.text == "state RUNNING")
        assert any("permission denied" in answer.text for answer in child.answers if isinstance(answer, Note))
        assert child.wait().outcome == "all"
        [shrink] = child.resizes()
        assert {"written", "signalled", "acknowledged", "applied"} <= set(shrink)
        assert "granted" not in shrink
        assert [answer.cpus for answer in child.answers if isinstance(answer, Allocation)] == [3, 0]
    control = _fields(tmp_path / "run" / "jobs" / "job_1.control")
    assert (control["CPUS"], control["GENERATION"], len(control["NODES"].split(","))) == ("3", "2", 3)


def test_a_job_that_does_not_let_go_in_time_is_shrunk_all_the_same(cluster: Cluster, tmp_path: Path) -> None:
    with by_hand(cluster, tmp_path / "run", {"to": [1], "nodes": 3, "unit_s": 600, "release_s": 0.5}) as child:
        child.until(lambda answer: isinstance(answer, Note) and answer.text == "state RUNNING")
        assert child.wait().outcome == "all"
        [shrink] = child.resizes()
        assert set(shrink) == {"decided", "written", "signalled", "acknowledged", "overdue", "granted"}


def test_a_job_that_never_registered_gets_no_signal(cluster: Cluster, tmp_path: Path) -> None:
    what = {"to": [1], "nodes": 2, "release_s": 0.5, "program": "exec sleep 600"}
    with by_hand(cluster, tmp_path / "run", what) as child:
        # By SIGUSR1 it would have ended.
        child.until(lambda answer: isinstance(answer, Note) and answer.text == "state RUNNING")
        assert child.wait().outcome == "all"
        [shrink] = child.resizes()
        assert set(shrink) == {"decided", "written", "signalled", "overdue", "granted"}
        assert shrink["signalled"].processes == 0


def test_a_job_that_registered_gets_the_signal_each_time(cluster: Cluster, tmp_path: Path) -> None:
    script = tmp_path / "signalled.py"
    got = tmp_path / "got"
    answer = tmp_path / "run" / "jobs" / "job_1.answer"
    # It looks at no file, so that nothing but the signal can tell it.
    script.write_text(
        f"import os, signal, time\n"
        f"got = os.open({str(got)!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND)\n"
        f"signal.signal(signal.SIGUSR1, lambda *_: os.write(got, b'x'))\n"
        f"open({str(answer)!r}, 'w').write('{{\"pid\": 1}}')\n"
        f"while True: time.sleep(600)\n"
    )
    what = {"to": [2, 3, 1, 2], "release_s": 0.3, "program": f"exec {sys.executable} {script}", "go": str(got)}
    with by_hand(cluster, tmp_path / "run", what) as child:
        within(30, lambda: answer.exists() and got.exists())
        assert child.wait().outcome == "all"
        assert [resize["signalled"].processes for resize in child.resizes()] == [1, 1, 1, 1]
        assert got.read_bytes() == b"xxxx"


def test_a_job_that_is_cancelled_while_it_is_asked_to_shrink_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    with by_hand(cluster, tmp_path / "run", {"to": [1], "nodes": 3, "unit_s": 600, "release_s": 600}) as child:
        child.until_resize("acknowledged")
        cluster.ask("scancel", *cluster.active())
        child.until_resize("withdrawn")
        child.until(lambda answer: isinstance(answer, Note) and answer.text == "state CANCELLED")
        assert child.wait().outcome == "all"
        assert set(child.resizes()[0]) == {"decided", "written", "signalled", "acknowledged", "withdrawn"}
        assert _fields(tmp_path / "run" / "jobs" / "job_1.control")["STATUS"] == "FAILED"


def test_a_job_that_ends_while_it_is_asked_to_shrink_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    what = {
        "to": [1],
        "nodes": 3,
        "program": f"exec {sys.executable} -c 'import time; time.sleep(4)'",
        "release_s": 600,
    }
    with by_hand(cluster, tmp_path / "run", what) as child:
        child.until_resize("withdrawn")
        child.until(lambda answer: isinstance(answer, Note) and answer.text == "state COMPLETED")
        assert child.wait().outcome == "all"
        assert set(child.resizes()[0]) == {"decided", "written", "signalled", "withdrawn"}
        assert [answer.cpus for answer in child.answers if isinstance(answer, Allocation)] == [3, 0]


def _refusing(cluster: Cluster, folder: Path, what: str) -> str:
    """A PATH on which a double of scontrol refuses that, and asks the real one for all else.

    A real Slurm can't be made to refuse it to its administrator.
    """
    double = folder / "bin" / "scontrol"
    double.parent.mkdir()
    real = cluster.ask("sh", "-c", "command -v scontrol").strip()
    double.write_text(
        f'#!/bin/sh\ncase "$*" in *{what}*) echo "permission denied" >&2; exit 1;; esac\nexec {real} "$@"\n'
    )
    double.chmod(0o755)
    return f"{double.parent}{os.pathsep}{os.environ['PATH']}"


def _fields(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())
