"""One round and the nodes' report with real Parsl and real workers on this machine, also when something breaks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from perfdb.capture.facts import facts
from perfdb.families import autoscale
from perfdb.families.autoscale.rounds.answers import (
    Answer,
    Begin,
    Block,
    Cancelled,
    Ended,
    Failed,
    Gone,
    LastWords,
    NodeReport,
    Offset,
    Registered,
    ScaleOut,
    ScriptReport,
    Submitted,
    read_answers,
)
from perfdb.families.autoscale.rounds.node_reports import mismatch
from perfdb.processes.log import Line
from perfdb.processes.tree import MARKER, end_run, marked

FAMILY = Path(autoscale.__file__).parent
FACTS = Path(sys.modules["perfdb.capture"].__path__[0]) / "facts.py"
KEY = "key"
CONFIG = """
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor
    from parsl.providers import LocalProvider

    {before}
    config = Config(
        executors=[HighThroughputExecutor(
            label="htex", address="127.0.0.1", cores_per_worker=1, max_workers_per_node=1, encrypted=False,
            heartbeat_period=1, heartbeat_threshold={patience_s},
            provider={provider}(init_blocks=0, min_blocks=0, max_blocks=2, worker_init={worker_init!r}),
        )],
        strategy="simple", strategy_period=0.2, max_idletime=0.5,
    )
"""


@dataclass(frozen=True)
class Round:
    answers: tuple[Answer, ...]
    code: int
    said: str

    def of(self, kind: type) -> list:
        return [answer for answer in self.answers if isinstance(answer, kind)]

    @property
    def end(self) -> Gone:
        (end,) = self.of(Gone)
        return end


@dataclass
class Child:
    """A child program under way, in a run of its own."""

    process: subprocess.Popen[str]
    run: str
    run_dir: Path

    def told(self, until: str) -> str:
        """Its lines up to one that holds `until`."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if until in line:
                break
        return "".join(lines)

    def over(self, before: str = "") -> Round:
        out, err = self.process.communicate(timeout=60)
        lines = tuple(Line(0.0, "stdout", text) for text in (before + out).splitlines())
        return Round(read_answers(lines), self.process.returncode, err)


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Child]]:
    runs = []

    def start(
        what: str = "round",
        worker_init: str = "",
        provider: str = "LocalProvider",
        before: str = "",
        patience_s: int = 3,
        **asked: float,
    ) -> Child:
        config = tmp_path / "local_fake.py"
        text = CONFIG.format(
            worker_init=worker_init,
            provider=provider,
            patience_s=patience_s,
            before=textwrap.indent(before, " " * 4).strip(),
        )
        config.write_text(textwrap.dedent(text))
        runs.append(uuid.uuid4().hex)
        run_dir = tmp_path / f"runinfo-{len(runs)}"
        run_dir.mkdir()
        workload = {"tasks": 3, "task_s": 0.3, "blocks": 2, "acquire_timeout_s": 30, "release_timeout_s": 20, **asked}
        env = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "SPT_NOENV": "1",
            "PERFDB_CONFIG": str(config),
            "PERFDB_RUN_DIR": str(run_dir),
            "PERFDB_HOST_KEY": KEY,
            "PERFDB_FACTS": str(FACTS),
            "PERFDB_PHASE": "0.5",
            "PERFDB_WORKLOAD": json.dumps(workload),
            MARKER: runs[-1],
        }
        argv = [sys.executable, str(FAMILY / "child" / "program.py"), what]
        process = subprocess.Popen(
            argv, env=env, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        return Child(process, runs[-1], run_dir)

    yield start
    for run in runs:
        end_run(run, grace_s=1.0, patience_s=10.0)


def nothing_left(run: str) -> bool:
    """Whether all processes of the run end by themselves."""
    deadline = time.monotonic() + 15
    while marked(run):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_a_round_tells_the_whole_way_from_the_first_task_to_the_last_block(start):
    child = start(worker_init="export PLANTED=1")
    done = child.over()
    assert (done.code, done.end.outcome, done.end.trouble) == (0, "all", None), done.said
    (begin,) = done.of(Begin)
    assert (begin.strategy, begin.strategy_period_s, begin.max_idletime_s) == ("simple", 0.2, 0.5)
    assert begin.phase_s >= 0.1  # half a period after a look of the strategy
    tasks, blocks = done.of(Ended), done.of(Block)
    assert {task.task for task in tasks} == {one.task for one in done.of(Submitted)}
    assert {block.block for block in blocks} == {task.block for task in tasks} == {"0", "1"}
    registered = {one.pool: one for one in done.of(Registered)}
    assert {one.block for one in registered.values()} == {"0", "1"}
    first = done.of(Submitted)[0].at
    for task in tasks:
        block = next(block for block in blocks if block.block == task.block)
        assert task.script is not None
        assert task.pool_at is not None
        way = (
            first[0],
            done.of(ScaleOut)[0].at[0],
            block.called[0],
            task.script,
            task.pool_at + 0.01,  # a clock tick
            registered[task.pool].at,
            task.started[0],
            task.ended[0],
            task.received[0],
        )
        assert list(way) == sorted(way)
        assert task.ended[1] - task.started[1] == pytest.approx(0.3, abs=0.2)
        assert task.node == task.host == facts(KEY)["pseudonym"]
    gathered = [task.gathered for task in sorted(tasks, key=lambda task: task.task)]
    assert None not in gathered
    assert gathered == sorted(gathered)
    assert {(task.python, task.parsl, task.sees_run_dir) for task in tasks} == {(begin.python, begin.parsl, True)}
    (offset,) = done.of(Offset)
    assert (offset.ahead_s, offset.within_s) == (0.0, 0.0)  # workers on this kernel have our clock
    assert {job for one in done.of(Cancelled) for job in one.jobs} == {block.job for block in blocks}
    assert (
        max(task.ended[0] for task in tasks) + 0.5 < min(one.called[0] for one in done.of(Cancelled)) < done.end.at[0]
    )
    assert {one.job for one in done.of(ScriptReport)} == {block.job for block in blocks}
    assert nothing_left(child.run)


def test_tasks_wait_until_every_node_has_run_one(start):
    """One task at the beginning is enough for one block; only tasks that wait besides bring the second."""
    done = start(tasks=1).over()
    assert (done.code, done.end.outcome) == (0, "all")
    assert {task.block for task in done.of(Ended)} == {"0", "1"}
    assert sum(one.count for one in done.of(ScaleOut)) == 2
    assert len(done.of(Submitted)) >= 2


def test_every_node_reports_and_nothing_speaks_against_it(start):
    child = start("reports")
    done = child.over()
    assert (done.code, done.end.outcome) == (0, "all"), done.said
    reports = done.of(NodeReport)
    assert {report.block for report in reports} == {"0", "1"}
    assert len(reports) == 2
    (begin,) = done.of(Begin)
    assert {(report.python, report.parsl, report.sees_run_dir) for report in reports} == {
        (begin.python, begin.parsl, True)
    }
    assert all(report.facts["pseudonym"] == begin.host for report in reports)
    assert {(script.python, script.parsl) for script in done.of(ScriptReport)} == {(begin.python, begin.parsl)}
    assert mismatch(done.answers, 2, "LocalProvider") is None
    assert nothing_left(child.run)


def test_a_worker_init_that_fails_ends_the_round_with_what_it_said(start):
    child = start("reports", worker_init="echo no such module: parsl-env >&2; exit 1", acquire_timeout_s=20)
    done = child.over()
    assert done.code == 1
    assert "no such module: parsl-env" in {words.text for words in done.of(LastWords)}.pop()
    assert done.of(ScriptReport)  # that the script started is known nevertheless
    told = mismatch(done.answers, 2, "LocalProvider")
    assert told is not None
    assert "0 of 2 nodes reported" in told
    assert "no such module: parsl-env" in told
    assert nothing_left(child.run)


def test_another_python_on_the_nodes_is_told_with_what_to_put_into_worker_init(start, tmp_path):
    """The interpreter there is a stand-in that says of itself that it is older; it starts no worker, as Parsl would refuse."""
    other = tmp_path / "other" / "bin"
    other.mkdir(parents=True)
    (other / "python").write_text(
        '#!/bin/sh\ncase "$1" in -c) printf "CPython 3.6.8\\n2023.10.16\\n";; *) sleep 30;; esac\n'
    )
    (other / "process_worker_pool.py").write_text(f"#!{other}/python\n")
    for file in other.iterdir():
        file.chmod(0o755)
    child = start("reports", worker_init=f"export PATH={other}:$PATH", acquire_timeout_s=3)
    done = child.over()
    assert done.code == 1
    assert {(script.python, script.parsl) for script in done.of(ScriptReport)} == {("CPython 3.6.8", "2023.10.16")}
    told = mismatch(done.answers, 2, "LocalProvider")
    assert told is not None
    assert "the nodes run CPython 3.6.8 where the submit host runs" in told
    assert "worker_init" in told
    assert nothing_left(child.run)


REFUSING = """
from parsl.providers.errors import SubmitException

class Refusing(LocalProvider):
    def submit(self, command, tasks_per_node, job_name="parsl"):
        raise SubmitException(job_name, "rejected", stdout="", stderr="sbatch: error: invalid partition", retcode=1)
"""


def test_a_refused_submission_is_told_in_the_batch_systems_words(start):
    child = start(before=REFUSING, provider="Refusing")
    done = child.over()
    assert (done.code, done.end.outcome) == (1, "bad_state")
    block = done.of(Block)[0]
    assert block.job is None
    assert "sbatch: error: invalid partition" in block.trouble
    assert done.of(Failed)
    assert nothing_left(child.run)


def test_a_block_that_is_killed_during_a_task_costs_that_task_alone(start):
    """The pool dies as it does at the walltime; Parsl loses its task and asks for another block."""
    child = start(task_s=2.0)
    before = child.told('"block": "1"')
    for process in _of_command(child.run, "process_worker_pool", "--block_id=0"):
        process.kill()
    done = child.over(before)
    assert done.end.outcome == "all", done.said
    assert len({task.pool for task in done.of(Ended)}) >= 2
    assert nothing_left(child.run)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_tells_what_it_knows_and_leaves_nothing_running(start, number):
    child = start(task_s=20.0)
    before = child.told('"block": "1"')
    child.process.send_signal(number)
    done = child.over(before)
    assert done.code == 1
    assert not done.of(Gone)
    cancelled = [job for one in done.of(Cancelled) for job in one.jobs]
    assert sorted(cancelled) == sorted(block.job for block in done.of(Block))  # each told once
    assert nothing_left(child.run)


def test_without_an_interchange_the_round_ends_in_time_and_no_block_is_left(start):
    """Parsl's own clean-up waits for its answer for ever."""
    child = start(tasks=60, release_timeout_s=1, patience_s=60)
    before = child.told("2 of 2 nodes have run a task")
    for process in _of_command(child.run, "interchange"):
        process.kill()
    done = child.over(before)
    assert "tasks did not end within 1 s" in done.end.trouble
    assert {block.job for block in done.of(Block)} == {job for one in done.of(Cancelled) for job in one.jobs}
    assert nothing_left(child.run)


def test_nodes_that_never_come_end_the_round_at_its_timeout(start):
    child = start(worker_init="sleep 60", acquire_timeout_s=1.5)
    done = child.over()
    assert (done.code, done.end.outcome) == (1, "timeout")
    assert done.end.trouble == "0 of 2 nodes ran a task within 1.5 s"
    assert {script.job for script in done.of(ScriptReport)} == {block.job for block in done.of(Block)}
    assert nothing_left(child.run)


THREADS = """
from parsl.executors import ThreadPoolExecutor

def HighThroughputExecutor(**_):
    return ThreadPoolExecutor(label="threads")
"""


def test_a_config_without_blocks_is_refused_in_one_paragraph(start):
    child = start(before=THREADS)
    done = child.over()
    assert done.code == 1
    assert not done.answers
    assert "exactly one executor, a HighThroughputExecutor" in done.said
    assert "Traceback" not in done.said


def _of_command(run: str, command: str, *options: str) -> list:
    """The run's processes of that program, once there are some."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = []
        for process in marked(run):
            with contextlib.suppress(psutil.Error):
                words = process.cmdline()
                if any(command in word.rpartition("/")[2] for word in words[:2]) and {*options} <= {*words}:
                    found.append(process)
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"no {command} came up")
