"""Which children a run takes, in which order, and what each is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from perfdb.errors import UsageError
from perfdb.families import Program
from perfdb.families.schedulers.listing import CHILD, VARIABLE, Listed, lines_of, read_list
from perfdb.families.schedulers.measure import arm_of, child_count, is_list, measure, workload_of
from perfdb.families.schedulers.plan import VARIABLE as PLAN
from perfdb.families.schedulers.plan import Plan, Workload
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.subject import describe
from perfdb.families.schedulers.workload.job import digest
from perfdb.families.schedulers.workload.load import jobs_of
from perfdb.processes.log import Line
from tests.families.schedulers.turns import JOBS, child, lines

ARMS = "mini-slurm,simulated:easy,simulated:fifo"


@dataclass(frozen=True)
class StandInLab:
    """As much of a lab as the family asks for."""

    target: str = "size-2"
    host_key: str = "key"
    setup: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(cores=2))


def programs(spec: SchedulersSpec, unbegun: Sequence[str] = (), lab: StandInLab | None = None) -> Iterator[Program]:
    """Those that a run hands out where the children of such names can't begin."""
    children = measure(lab or StandInLab(), spec)  # type: ignore[arg-type] # as much as it asks for
    program = next(children)
    while True:
        yield program
        said = list(lines_of(Listed(JOBS))) if program.name == CHILD else lines("mini-slurm", [])
        try:
            program = children.send(child(program.name, [] if program.name in unbegun else said))
        except StopIteration:
            return


def names(spec: SchedulersSpec, unbegun: Sequence[str] = ()) -> list[str]:
    return [program.name for program in programs(spec, unbegun)]


def test_arms_take_turns_and_every_second_time_backwards() -> None:
    spec = SchedulersSpec(arms=ARMS, iters=3)
    assert names(spec) == [
        "workload",
        "iter-1-arm-1", "iter-1-arm-2", "iter-1-arm-3",
        "iter-2-arm-3", "iter-2-arm-2", "iter-2-arm-1",
        "iter-3-arm-1", "iter-3-arm-2", "iter-3-arm-3",
    ]  # fmt: skip
    assert len(names(spec)) == child_count(spec)


def test_where_an_arm_cannot_begin_no_other_is_tried() -> None:
    assert names(SchedulersSpec(arms=ARMS), ["iter-1-arm-2"]) == ["workload", "iter-1-arm-1", "iter-1-arm-2"]


def test_an_arm_that_cannot_begin_later_on_keeps_nobody_from_it() -> None:
    spec = SchedulersSpec(arms=ARMS, iters=3)
    assert len(names(spec, ["iter-2-arm-2"])) == child_count(spec)


def test_without_the_list_nothing_is_measured() -> None:
    assert names(SchedulersSpec(arms=ARMS), ["workload"]) == ["workload"]


def test_every_arm_gets_the_same_list_and_its_hash() -> None:
    spec = SchedulersSpec(arms=ARMS, iters=2, seed=7, compress=2)
    first, *rest = programs(spec)
    told = [Plan.model_validate_json(program.env[PLAN]) for program in rest]
    assert {plan.workload.model_dump_json() for plan in told} == {first.env[VARIABLE]}
    assert digest(jobs_of(told[0].workload)) == told[0].workload.sha256
    assert [(plan.iteration, plan.arm) for plan in told[:4]] == [
        (1, "mini-slurm"),
        (1, "simulated:easy"),
        (1, "simulated:fifo"),
        (2, "simulated:fifo"),
    ]
    assert len({plan.model_dump_json(exclude={"arm", "iteration"}) for plan in told}) == 1


def test_jobs_have_as_long_as_they_take_one_after_another_unless_somebody_says() -> None:
    # 10 s, 5 s and 5 s, 5 s more for each, and two minutes.
    assert SchedulersSpec().patience_for(JOBS) == 155
    assert SchedulersSpec().patience_for([JOBS[0].model_copy(update={"run_s": 1e6})]) == 145  # its limit is 20 s
    told = [
        Plan.model_validate_json(p.env[PLAN]) for p in programs(SchedulersSpec(arms=ARMS, iters=1)) if PLAN in p.env
    ]
    assert {plan.patience_s for plan in told} == {155}
    assert SchedulersSpec(patience_s=7).patience_for(JOBS) == 7


def test_a_childs_name_says_which_turn_it_was() -> None:
    assert arm_of("12-iter-5-arm-2") == (5, 2)
    assert arm_of("01-workload") is None
    assert is_list("01-workload")
    assert not is_list("12-iter-5-arm-2")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"arms": "mini-slurm", "job": "lammps"}, "leave out --job lammps"),
        ({"arms": "mini-slurm", "job": "burn", "nodes": 3}, "has 2: its jobs can't burn on 3. Give --nodes 2, or --job sleep"),
        ({"arms": "kubernetes:default"}, "with --yes"),
        ({"arms": "kubernetes:nobody", "yes": True}, "kubernetes:nobody"),
        ({"arms": "mini-slurm", "kubernetes": "arms.toml"}, "--arms names none of that kind"),
        ({"arms": "mini-slurm", "nodes": 1}, "Add --nodes 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_before_anything_runs(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        next(programs(SchedulersSpec.model_validate(options)))


def test_without_slurm_an_arm_of_its_own_is_refused_and_one_that_runs_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("perfdb.platforms.pocket.programs.find", lambda _: None)
    with pytest.raises(UsageError, match=r"install.*--arms simulated:fifo,simulated:easy"):
        next(programs(SchedulersSpec()))
    assert next(programs(SchedulersSpec(arms="slurm=here"))).name == "workload"


def test_arms_are_kept_as_they_are_called() -> None:
    spec = SchedulersSpec(arms=" slurm ,slurm:builtin+basic,simulated:easy")
    assert spec.arms == "slurm:backfill,slurm:builtin,simulated:easy"
    with pytest.raises(ValidationError, match="is no arm"):
        SchedulersSpec(arms="slrum")


def test_a_list_comes_back_whole_or_not_at_all() -> None:
    many = tuple(JOBS[0].model_copy(update={"job": n}) for n in range(1, 450))
    said = tuple(Line(0.0, "stdout", text) for text in lines_of(Listed(many, {"no run time": 3})))
    assert len(said) == 4
    assert read_list(said) == Listed(many, {"no run time": 3})
    assert read_list(said[:-1]) == read_list((said[0], *said[2:])) == read_list(()) == Listed()
    assert read_list((Line(0.0, "stdout", "[]"), *said)) == Listed()


def test_a_file_is_told_by_its_whole_path_and_its_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.toml").write_text('builtin = "size-2"\n')
    monkeypatch.chdir(tmp_path)
    told: Workload = workload_of("own.toml", SchedulersSpec())
    assert told.source == str(tmp_path / "own.toml")
    assert told.sha256 == digest(jobs_of(told))


def test_a_record_holds_a_specs_text_and_a_traces_hash(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('# by somebody@example.org\nbuiltin = "size-2"\n')
    (tmp_path / "real.swf").write_text("; Computer: secret\n1 0 -1 4 -1 -1 -1 1 9 -1 -1 1 -1 -1 -1 -1 -1 -1\n")
    spec, trace = (describe(str(tmp_path / name), "") for name in ("own.toml", "real.swf"))
    assert spec.name == "own"
    assert 'builtin = "size-2"' in spec.source
    assert "somebody" not in spec.source
    assert trace.params["workload.kind"] == "swf"
    assert trace.params["workload.sha256"] == hashlib.sha256((tmp_path / "real.swf").read_bytes()).hexdigest()
    assert "secret" not in trace.source
    assert str(tmp_path) not in spec.source + trace.source
