"""Parts of the child programs, each in a process of its own: they take its standard output for themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from perfdb.families import autoscale
from perfdb.families.autoscale.rounds.answers import ClockAsked, Offset, read_answers
from perfdb.processes.log import Line

CHILD = Path(autoscale.__file__).parent / "child"
CONFIGS = CHILD.parents[2] / "parsl_config" / "child"
PREAMBLE = f"""
import sys, time
sys.path[:0] = [{str(CHILD)!r}, {str(CONFIGS)!r}]
import telling
"""


def told(script: str) -> list[dict]:
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


OTHER_HOST = """
import itertools, offsets
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(4)
there = itertools.chain([0.3, 0.3, 0.01], itertools.repeat(0.3))  # one short trip among long ones

def clock():
    time.sleep(next(there))  # the way there is longer than the way back
    at = time.time_ns() / 1e9 + AHEAD
    return {"block": "0", "pool": "p", "host": "b" * 12, "boot": "b" * 12, "started": [at, 0.0], "ended": [at, 0.0]}

offsets.tell({"a" * 12: "a" * 12, "b" * 12: "b" * 12}, "a" * 12, lambda: pool.submit(clock))
"""


def test_a_clock_that_is_off_is_found_to_be_within_what_is_told():
    for ahead in (5.0, -3.0):
        lines = [Line(0.0, "stdout", json.dumps(one)) for one in told(OTHER_HOST.replace("AHEAD", str(ahead)))]
        *asked, ours, theirs = read_answers(tuple(lines))
        assert len(asked) >= 5
        assert all(isinstance(one, ClockAsked) for one in asked)
        assert isinstance(ours, Offset)
        assert isinstance(theirs, Offset)
        assert (ours.host, ours.ahead_s, ours.within_s) == ("a" * 12, 0.0, 0.0)
        assert theirs.host == "b" * 12
        assert abs(theirs.ahead_s - ahead) <= theirs.within_s < 0.1


def test_a_host_that_does_not_answer_is_given_up():
    script = """
import offsets
from concurrent.futures import Future
offsets.LONGEST_S = 0.2
offsets.tell({"b" * 12: "b" * 12}, "a" * 12, Future)
"""
    assert told(script) == []


NEWER = (
    "1795263895.442965 2026-11-21 12:24:55 MainProcess-77 MainThread-1 interchange:400 process [INFO]  Registration info "
    "for manager b'29751e05034a': {'type': 'registration', 'block_id': '1', 'worker_count': 2, 'drain_time': inf, "
    "'max_capacity': 4, 'hostname': 'login-node-7'}\n"
)
OLDER = (
    "2023-10-16 12:24:55.250 interchange:416 MainProcess(77) MainThread start [INFO]  Registration info for manager "
    "b'aaaa1e05034a': {'block_id': '0', 'worker_count': 3, 'hostname': 'n0'}\n"
)
REFUSED = "2023-10-16 12:24:55.251 interchange:421 [ERROR]  Manager b'aaaa' has incompatible version info with the interchange\n"


def managers(tmp_path: Path, *writes: str) -> list[list[dict]]:
    """What the log tells after each write to it."""
    script = f"""
import interchange_log, os
os.environ["TZ"] = "UTC"; time.tzset()
folder = os.path.join({str(tmp_path)!r}, "000", "htex")
os.makedirs(folder)
log = interchange_log.InterchangeLog({str(tmp_path)!r}, "htex")
for text in {list(writes)!r}:
    with open(os.path.join(folder, "interchange.log"), "a") as file:
        file.write(text)
    telling.answer("managers", found=log.managers())
"""
    return [line["found"] for line in told(script)]


def test_managers_are_those_that_old_and_new_releases_log(tmp_path):
    (found,) = managers(tmp_path, NEWER + OLDER)
    assert found == [
        {"pool": "29751e05034a", "block": "1", "at": 1795263895.442965, "capacity": 4},
        {"pool": "aaaa1e05034a", "block": "0", "at": 1697459095.25, "capacity": 3},
    ]


def test_a_line_that_is_still_being_written_counts_once_it_is_whole(tmp_path):
    half, found, both = managers(tmp_path, NEWER[:150], NEWER[150:] + OLDER[:40], OLDER[40:])
    assert half == []
    assert [manager["pool"] for manager in found] == ["29751e05034a"]
    assert [manager["pool"] for manager in both] == ["29751e05034a", "aaaa1e05034a"]


def test_a_manager_that_is_refused_for_its_version_is_none(tmp_path):
    (found,) = managers(tmp_path, OLDER + REFUSED)
    assert found == []


def test_no_name_of_a_node_is_told_in_a_trouble():
    script = """
telling.NAMES.add("login-node-7")
for text in (
    "Task failure due to loss of manager 'ab' on host 'cn-17.site'",
    "slurmstepd: error: *** JOB 12 ON n0 CANCELLED AT 2026-11-21T12:00:00 DUE TO TIME LIMIT ***",
    "srun: error: n1: task 0: Exited with exit code 1",
    "cannot reach login-node-7",
):
    telling.answer("note", text=telling.trouble(text))
"""
    said = [line["text"] for line in told(script)]
    assert said == [
        "Task failure due to loss of manager 'ab' on host '<node>'",
        "slurmstepd: error: *** JOB 12 ON <node> CANCELLED AT 2026-11-21T12:00:00 DUE TO TIME LIMIT ***",
        "srun: error: <node>: task 0: Exited with exit code 1",
        "cannot reach <node>",
    ]


def test_a_trouble_is_short_printable_and_keeps_its_words():
    script = r"""
telling.answer("note", text=telling.trouble("a\x1b[31m\n" + "b" * 5000 + "\t the end"))
telling.answer("note", text=telling.trouble("Requested node configuration is not available"))
telling.answer("note", text=telling.trouble(ValueError("why")))
telling.answer("note", text=telling.trouble("no such file: /scratch/" + "person/" * 500 + "x.err is not there"))
"""
    long, kept, error, path = (line["text"] for line in told(script))
    assert len(long) == 2000
    assert long.endswith("b the end")
    assert long.isprintable()
    assert kept == "Requested node configuration is not available"
    assert error == "ValueError: why"
    assert path == "is not there"


LOOP = """
import one_round
from concurrent.futures import Future

futures = [Future() for _ in range(3)]
gatherer = one_round.Gatherer()
tasks = one_round.Tasks(gatherer)
for number, future in enumerate(futures):
    gatherer.add(number, future)
result = {"host": "a", "boot": "a"}
for number in (1, 2, 0):
    futures[number].set_result(result)
    if number == 0:
        gatherer.at(2, 10.0)
    tasks.arrived(number, result, time.time())
"""


def test_the_seeds_loop_has_a_result_once_it_has_all_before_it():
    """Tasks 1 and 2 came first and wait for task 0."""
    loop = told(LOOP)
    assert [one["task"] for one in loop] == [0, 1, 2]
    assert loop[0]["received"] - 1 < loop[0]["gathered"] <= loop[1]["gathered"] <= loop[2]["gathered"]
    assert loop[1]["received"] < loop[1]["gathered"]


FAILING = """
import types, workload
from concurrent.futures import Future

def submit():
    future = Future()
    future.set_exception(RuntimeError("no dill here"))
    return future

scaling = types.SimpleNamespace(
    managers_per_block=1, bad_state=None, active=["0"], workers_per_block=1.0, provider=None,
    interchange=types.SimpleNamespace(managers=list),
)
work = workload.Workload(scaling, submit, tasks=3, blocks=1, tell=None)
work.begin()
telling.answer("over", end=work.run(20.0, 20.0))
"""


def test_tasks_that_all_fail_end_the_round():
    assert told(FAILING)[-1]["end"] == ["bad_state", "RuntimeError: no dill here"]
