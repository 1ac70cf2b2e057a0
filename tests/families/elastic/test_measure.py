"""Which children a run takes, in which order, and what each is told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from perfdb.errors import UsageError
from perfdb.families import Program
from perfdb.families.elastic.measure import arm_of, child_count, measure
from perfdb.families.elastic.mix import digest
from perfdb.families.elastic.plan import VARIABLE, Plan
from perfdb.families.elastic.spec import ElasticSpec
from perfdb.families.elastic.subject import describe
from tests.families.elastic.arms import child, lines


@dataclass(frozen=True)
class StandInLab:
    """As much of a lab as the family asks for."""

    target: str = "mini-slurm"
    host_key: str = "key"
    setup: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(cores=2))


def programs(spec: ElasticSpec, lab: StandInLab | None = None, begins: bool = True) -> Iterator[Program]:
    children = measure(lab or StandInLab(), spec)  # type: ignore[arg-type] # as much as it asks for
    program = next(children)
    while True:
        yield program
        try:
            program = children.send(child(program.name, lines("on", []) if begins else []))
        except StopIteration:
            return


def plans(spec: ElasticSpec) -> list[Plan]:
    return [Plan.model_validate_json(program.env[VARIABLE]) for program in programs(spec)]


def test_arms_take_turns_and_every_second_time_backwards() -> None:
    names = [program.name for program in programs(ElasticSpec(reps=3))]
    assert names == [
        "rep-1-off", "rep-1-on", "rep-1-threshold",
        "rep-2-threshold", "rep-2-on", "rep-2-off",
        "rep-3-off", "rep-3-on", "rep-3-threshold",
    ]  # fmt: skip
    assert len(names) == child_count(ElasticSpec(reps=3))


def test_where_the_first_arm_could_not_begin_no_other_is_tried() -> None:
    assert [program.name for program in programs(ElasticSpec(reps=3), begins=False)] == ["rep-1-off"]


def test_every_arm_gets_the_same_jobs_and_their_hash() -> None:
    spec = ElasticSpec(reps=2, seed=7)
    assert {plan.mix for plan in plans(spec)} == {spec.mix}
    assert {plan.mix_sha256 for plan in plans(spec)} == {digest(spec.mix)}


def test_arms_differ_in_their_rules_alone() -> None:
    told = {plan.arm: (plan.elastic, plan.threshold_percent) for plan in plans(ElasticSpec(reps=1, threshold=40))}
    assert told == {"off": (False, 100.0), "on": (True, 100.0), "threshold": (True, 40.0)}
    rest = {plan.model_dump_json(exclude={"arm", "elastic", "threshold_percent"}) for plan in plans(ElasticSpec())}
    assert len(rest) == 1


def test_more_cpus_than_there_are_are_refused_unless_that_is_wanted() -> None:
    with pytest.raises(UsageError, match=r"--cpus 3 is more than the 2 .*--overcommit --work sleep"):
        next(programs(ElasticSpec(cpus=3)))
    assert next(programs(ElasticSpec(cpus=3, overcommit=True, work="sleep"))).name == "rep-1-off"


def test_nodes_of_a_slurm_are_not_this_machines_cpus() -> None:
    program = next(programs(ElasticSpec(cpus=4), StandInLab(target="slurm")))
    assert Plan.model_validate_json(program.env[VARIABLE]).target == "slurm"
    assert program.argv[1].endswith("child/slurm/program.py")


def test_work_that_burns_is_never_overcommitted() -> None:
    with pytest.raises(ValidationError, match="add --work sleep"):
        ElasticSpec(cpus=4, overcommit=True)


def test_a_mix_without_an_elastic_job_is_refused() -> None:
    with pytest.raises(ValidationError, match="--elastic-jobs is at least 1"):
        ElasticSpec(elastic_jobs=0)


@pytest.mark.parametrize(
    ("name", "which"),
    [
        ("rep-1-off", (1, "off")),
        ("07-rep-12-threshold", (12, "threshold")),
        ("rep-1-sideways", None),
        ("rep-0-on", None),
        ("rep-1-on-", None),
    ],
)
def test_a_childs_name_tells_its_repetition_and_arm(name: str, which: tuple[int, str] | None) -> None:
    assert arm_of(name) == which


def test_a_scheduler_that_nobody_knows_is_refused_with_what_to_type() -> None:
    with pytest.raises(UsageError, match="For example: perfdb run elastic mini-slurm"):
        describe("pbs", "key")


def test_a_slurm_that_is_not_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="perfdb cluster up --accounting"):
        describe("slurm", "key")


@pytest.mark.skipif(shutil.which("scontrol") is None, reason="no Slurm is installed here")
def test_a_slurm_that_does_not_answer_is_told_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
    monkeypatch.setattr("perfdb.families.elastic.subject._PATIENCE_S", 0.5)  # scontrol waits for its file for a minute
    with pytest.raises(UsageError, match=r"Slurm does not answer: .*perfdb cluster env"):
        describe("slurm", "key")


def test_what_slurm_says_of_a_dead_controller_is_told_without_its_rows_of_stars(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "scontrol").write_text(
        "#!/bin/sh\nprintf 'Slurmctld(primary) is DOWN\\n*****\\n** RESTORE IT **\\n*****\\n'\n"
    )
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(UsageError, match=r"Slurm does not answer: \*\* RESTORE IT"):
        describe("slurm", "key")


@pytest.mark.parametrize("kept", ["accounting_storage/none", "(null)", "accounting_storage/slurmdbd"])
def test_a_slurm_without_accounts_is_refused_since_it_resizes_a_job_only_once(
    kept: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = f"Slurmctld(primary) at here is UP\nAccountingStorageTRES  = cpu\nAccountingStorageType   = {kept}\n"
    (tmp_path / "scontrol").write_text(f"#!/bin/sh\ncat <<'END'\n{said}END\n")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    if kept.endswith("slurmdbd"):
        assert describe("slurm", "key").name == "slurm"
        return
    with pytest.raises(UsageError, match="perfdb cluster up --accounting"):
        describe("slurm", "key")
