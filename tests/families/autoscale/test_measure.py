"""Which children an autoscale run wants, and what stops it before the rounds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import ConfigError, UsageError
from perfdb.families.autoscale.measure import child_count, measure, phases
from perfdb.families.autoscale.progress import progress
from perfdb.families.autoscale.rounds.answers import (
    Begin,
    Block,
    Gone,
    LastWords,
    NodeReport,
    ScriptReport,
    read_answers,
)
from perfdb.families.autoscale.rounds.node_reports import mismatch
from perfdb.families.autoscale.spec import AutoscaleSpec
from perfdb.families.base import ChildRun, Program, Setup
from perfdb.parsl_config import ConfigDescription
from perfdb.parsl_config.description import ExecutorDescription
from perfdb.processes.log import ChildLog, Exit, Line
from perfdb.record import Host

HTEX = ExecutorDescription(
    label="htex",
    class_name="HighThroughputExecutor",
    provider_class="SlurmProvider",
    launcher_class="SingleNodeLauncher",
)
PYTHON, PARSL = "CPython 3.11.7", "2024.06.17"
ANYBODY = "0" * 12


@dataclass
class StandInLab:
    """What a family asks of a lab, with a config of our making: the real one would have to describe it first."""

    executors: tuple[ExecutorDescription, ...] = (HTEX,)
    params: dict[str, object] = field(default_factory=dict)
    powers_nodes: bool = True
    host_key: str = "key"
    python: Path = Path("/opt/python")
    config_path: Path = Path("config.py")

    @property
    def setup(self) -> Setup:
        config = ConfigDescription(
            name="slurm_here",
            params={"config.strategy": "simple", "config.max_idletime": 120, **self.params},
            fingerprint="f" * 64,
            source="",
            source_sha256="0" * 64,
            executors=self.executors,
            parsl_version=PARSL,
            python_version="3.11.7",
            python_implementation="CPython",
            packages={},
            parsl_perf_flags=(),
            monitoring=False,
            usage_tracking=False,
        )
        return Setup(config=config, host=Host())


def said(*answers, code=0) -> ChildRun:
    lines = tuple(Line(0.0, "stdout", answer.model_dump_json()) for answer in answers)
    return ChildRun(ChildLog("child", None, lines, Exit(1.0, code, "ended")))


def begin(**changed) -> Begin:
    facts = {
        "python": PYTHON,
        "parsl": PARSL,
        "host": ANYBODY,
        "boot": ANYBODY,
        "strategy": "simple",
        "strategy_period_s": 5,
        "max_idletime_s": 120,
        "nodes_per_block": 1,
        "phase_s": 0,
    }
    return Begin(kind="begin", **{**facts, **changed})


def node(block: str, **changed) -> NodeReport:
    facts = {"node": ANYBODY, "host": ANYBODY, "boot": ANYBODY, "python": PYTHON, "parsl": PARSL, "facts": {}}
    return NodeReport(kind="node", block=block, pool=f"pool-{block}", **{"sees_run_dir": True, **facts, **changed})


def block(name: str, **changed) -> Block:
    return Block(kind="block", block=name, **{"job": name, "called": (1, 1), "returned": (2, 2), **changed})


FIT = said(begin(), node("0"), node("1"))


def children(lab: StandInLab, spec: AutoscaleSpec, *answers: ChildRun) -> list[Program]:
    """The programs wanted when the children answer so, the last one again and again."""
    wanted = []
    generator = measure(lab, spec)
    try:
        program = next(generator)
        for number in range(100):
            wanted.append(program)
            program = generator.send(answers[min(number, len(answers) - 1)])
    except StopIteration:
        pass
    return wanted


def test_a_run_is_the_nodes_then_cold_and_warm_rounds_in_turns():
    wanted = children(StandInLab(), AutoscaleSpec(rounds=2, blocks=2), FIT)
    assert [program.name for program in wanted] == ["nodes", "cold-1", "warm-1", "cold-2", "warm-2"]
    assert [program.begin_when for program in wanted] == ["now", "released", "now", "released", "now"]
    assert len(wanted) == child_count(AutoscaleSpec(rounds=2))


def test_there_are_no_warm_rounds_where_nodes_are_not_powered_on_demand():
    wanted = children(StandInLab(powers_nodes=False), AutoscaleSpec(rounds=2, blocks=2), FIT)
    assert [program.name for program in wanted] == ["nodes", "cold-1", "cold-2"]


def test_a_round_is_told_what_was_asked_for():
    spec = AutoscaleSpec(rounds=1, blocks=2, tasks=7, task_s=0.5, acquire_timeout_s=60, release_timeout_s=300)
    wanted = children(StandInLab(), spec, FIT)
    for program in wanted:
        assert json.loads(program.env["PERFDB_WORKLOAD"]) == {
            "tasks": 7,
            "task_s": 0.5,
            "blocks": 2,
            "acquire_timeout_s": 60,
            "release_timeout_s": 300,
        }
        assert program.env["PERFDB_HOST_KEY"] == "key"
        assert program.argv[0] == "/opt/python"
        assert Path(program.argv[1]).is_file()
        assert program.settle_s == 120
    assert 0 <= float(wanted[1].env["PERFDB_PHASE"]) < 1


def test_a_run_that_is_gone_on_with_asks_for_the_same_children():
    spec = AutoscaleSpec(rounds=7, blocks=2)
    assert children(StandInLab(), spec, FIT) == children(StandInLab(), spec, FIT)


@given(st.integers(1, 200), st.text())
def test_phases_are_spread_over_the_whole_period_however_few_rounds(rounds, seed):
    assert sorted(int(share * rounds) for share in phases(rounds, seed)) == list(range(rounds))


def test_phases_come_in_no_order():
    assert phases(20, "seed") != tuple(sorted(phases(20, "seed")))
    assert phases(20, "cold") != phases(20, "warm")


@pytest.mark.parametrize("last", [1, 2, 3])
def test_a_round_that_fails_is_the_last(last):
    answers = [FIT] * last + [said(code=1)]
    assert len(children(StandInLab(), AutoscaleSpec(rounds=5, blocks=2), *answers)) == last + 1


def test_nodes_that_are_unfit_stop_the_run_before_the_first_round():
    unfit = said(begin(), node("0"), node("1", sees_run_dir=False))
    assert [p.name for p in children(StandInLab(), AutoscaleSpec(blocks=2), unfit)] == ["nodes"]
    assert [p.name for p in children(StandInLab(), AutoscaleSpec(blocks=2), said(code=1))] == ["nodes"]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"executors": (HTEX, HTEX.model_copy(update={"label": "second"}))}, "has 2"),
        (
            {"executors": (HTEX.model_copy(update={"class_name": "ThreadPoolExecutor", "provider_class": None}),)},
            "no blocks",
        ),
        ({"executors": (HTEX.model_copy(update={"class_name": "WorkQueueExecutor"}),)}, "no blocks"),
        ({"params": {"config.strategy": "none"}}, "strategy='simple'"),
        ({"params": {"config.strategy": None}}, "strategy='simple'"),
        ({"params": {"provider.parallelism": 0}}, "parallelism=1"),
    ],
)
def test_a_config_that_cannot_scale_is_refused_before_any_child_runs(changed, why):
    with pytest.raises(ConfigError, match=why):
        next(measure(StandInLab(**changed), AutoscaleSpec()))


def test_a_sites_own_executor_class_is_left_to_the_child_to_judge():
    own = HTEX.model_copy(update={"class_name": "site.executors.OurHTEX"})
    assert next(measure(StandInLab(executors=(own,)), AutoscaleSpec())).name == "nodes"


def test_an_idle_time_longer_than_the_release_timeout_is_refused_with_what_to_type():
    with pytest.raises(UsageError, match="--release-timeout-s 1460"):
        next(measure(StandInLab(params={"config.max_idletime": 700}), AutoscaleSpec()))


def test_nodes_like_the_submit_host_are_fit():
    assert mismatch((begin(), node("0"), node("1")), 2, "SlurmProvider") is None
    # A patch release pickles alike, and Parsl writes the same release in two ways.
    alike = node("0", python="CPython 3.11.2", parsl="2024.6.17")
    assert mismatch((begin(), alike), 1, "SlurmProvider") is None


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((node("0", python="CPython 3.9.18"),), ("CPython 3.9.18", "worker_init")),
        ((node("0", python="PyPy 3.11.7"),), ("PyPy 3.11.7", "worker_init")),
        ((node("0", parsl="2025.01.06"),), ("have Parsl 2025.01.06", "parsl==2024.06.17")),
        ((ScriptReport(kind="script", job="7", started=1, python=PYTHON, parsl=""),), ("have no Parsl", "worker_init")),
        ((node("0", sees_run_dir=False),), ("block 0", "PERFDB_WORK_DIR")),
        ((), ("0 of 1 nodes", "--acquire-timeout-s")),
        ((block("0"),), ("0 of 1 nodes", "partition")),
        ((block("0", job=None, trouble="invalid account"),), ("refused block 0: invalid account",)),
        (
            (block("0", job="7"), ScriptReport(kind="script", job="7", started=1, python="", parsl="")),
            ("process_worker_pool.py on PATH",),
        ),
        ((LastWords(kind="last_words", block="0", text="module: not found"),), ("said last: module: not found",)),
        (
            (Gone(kind="end", outcome="bad_state", trouble="VersionMismatch: py.v=3.11", at=(1, 1)),),
            ("VersionMismatch: py.v=3.11",),
        ),
    ],
)
def test_what_is_wrong_with_the_nodes_is_told_with_its_remedy(answers, expected):
    told = mismatch((begin(), *answers), 1, "SlurmProvider")
    assert told is not None
    for words in expected:
        assert words in told
    assert told.endswith(".")
    assert "\n" not in told


def test_where_no_folder_is_shared_none_is_asked_for():
    assert mismatch((begin(), node("0", sees_run_dir=False)), 1, "KubernetesProvider") is None


def test_blocks_of_several_nodes_are_fit_when_each_node_reported():
    one = (begin(nodes_per_block=2), node("0"))
    assert "1 of 2 nodes" in str(mismatch(one, 1, "SlurmProvider"))
    assert mismatch((*one, node("0").model_copy(update={"pool": "another"})), 1, "SlurmProvider") is None


def test_a_child_that_broke_before_it_began_is_no_mismatch():
    assert mismatch((), 3, "SlurmProvider") is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"kind": "scale_out", "count": 3, "at": [1, 1]}', "Parsl asks for 3 blocks"),
        ('{"kind": "note", "text": "1 of 3 nodes have run a task"}', "1 of 3 nodes have run a task"),
        ('{"kind": "cancelled", "jobs": ["1", "2"], "called": [1, 1], "returned": [1, 1]}', "Parsl scales in 2 blocks"),
        ('{"kind": "block", "block": "0", "job": null, "trouble": "no"}', "block 0 was refused: no"),
        ('{"kind": "block", "block": "0", "job": "1", "trouble": null}', None),
        ('{"kind": "task", "task": 1}', None),
        ("not JSON", None),
        ("[1]", None),
        ('{"kind": "scale_out"}', None),
        ('{"kind": 7}', None),
    ],
)
def test_progress_is_one_line_or_nothing(line, told):
    assert progress(line) == told


@given(st.text())
def test_no_line_upsets_progress(line):
    assert progress(line) is None or isinstance(progress(line), str)


def test_notes_are_for_people_alone():
    assert read_answers((Line(0.0, "stdout", '{"kind": "note", "text": "1 of 3"}'),)) == ()


def test_rounds_and_reps_are_one_option_and_given_once():
    assert AutoscaleSpec(rounds=2) == AutoscaleSpec(reps=2)
    with pytest.raises(ValueError, match="two names of one thing"):
        AutoscaleSpec(rounds=2, reps=2)
