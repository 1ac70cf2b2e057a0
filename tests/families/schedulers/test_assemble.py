"""What a run of this family is worth: its status, its checks and its findings; from logs that end anywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families import ChildRun
from perfdb.families.base import Measurements
from perfdb.families.schedulers import FAMILY
from perfdb.families.schedulers.judge import findings
from perfdb.families.schedulers.measures.figures import OF_RUN_TIMES
from perfdb.families.schedulers.metrics import OF_ARM
from perfdb.families.schedulers.spec import SchedulersSpec
from perfdb.families.schedulers.workload.job import digest
from perfdb.processes.log import Exit
from tests.families.schedulers.turns import (
    EASY,
    ENDED,
    FIFO,
    JOBS,
    SPEC,
    child,
    happened,
    job,
    lines,
    listed,
    ns,
    runs,
    turn,
    unended,
    with_first,
)


def assemble(of: list[ChildRun], spec: SchedulersSpec = SPEC) -> Measurements:
    return FAMILY.assemble(spec, None, of)


def failed(measured: Measurements) -> dict[str, str]:
    return {check.name: check.detail for check in measured.checks if not check.passed}


def finding(measured: Measurements, name: str) -> tuple[str, str]:
    (found,) = [(one.value, one.evidence) for one in measured.findings if one.name == name]
    return found


def values(measured: Measurements, name: str) -> tuple[float, ...]:
    (metric,) = [metric for metric in measured.metrics if metric.name == name]
    return metric.all_values


def test_a_whole_run_is_valid_and_says_so_check_by_check() -> None:
    measured = assemble(runs())
    assert (measured.status, measured.reason) == ("ok", None)
    assert failed(measured) == {}
    assert [check.name for check in measured.checks] == [
        "arms_complete",
        "same_iterations",
        "equal_load",
        "jobs_as_planned",
        "clock_known",
        "nodes_up",
        "nothing_left",
        "fresh",
        "arms_unchanged",
        "stamps_agree",
    ]


def test_each_arm_has_its_metrics_and_each_later_one_its_difference_to_the_first() -> None:
    measured = assemble(runs())
    assert values(measured, "arm1_makespan_s") == (20.0, 20.0)
    assert values(measured, "simulated_arm2_makespan_s") == (15.0, 15.0)
    assert values(measured, "simulated_arm2_less_arm1_makespan_s") == (-5.0, -5.0)


@pytest.mark.parametrize(
    ("check", "told", "more", "words"),
    [
        ("arms_complete", happened(FIFO), {"end": {"given": {"begin": 1, "job": 4, "nodes": 2}}}, "1 of job"),
        ("arms_complete", happened(FIFO), {"end": {"outcome": "failed", "trouble": "it burnt"}}, "it failed: it burnt"),
        ("equal_load", happened(FIFO), {"workload": "0" * 64}, "other jobs than were asked for"),
        ("equal_load", [*happened(FIFO)[:2], job(3, 2.3, 15.0, 20.0)], {}, "job 3 was submitted 300 ms after"),
        ("equal_load", [*happened(FIFO)[:2], job(3, 1.7, 15.0, 20.0)], {}, "job 3 was submitted 300 ms before"),
        ("equal_load", happened(FIFO)[:2], {}, "1 job not submitted, first job 3 (short)"),
        ("jobs_as_planned", [*happened(FIFO)[:2], unended(3, 2.0, 15.0)], {}, "before patience was over, first job 3 (short), RUNNING"),
        ("jobs_as_planned", happened(FIFO)[:2], {}, "of which nothing was told"),
        ("jobs_as_planned", [*happened(FIFO)[:2], job(3, 2, 15, 20, state="NODE_FAIL")], {}, "first job 3 (short), NODE_FAIL"),
        ("clock_known", happened(FIFO), {"clock": {"uncertainty_s": 0.2}}, "known to 200 ms only"),
        ("nodes_up", happened(FIFO), {"nodes": 3}, "3 nodes, 4 were asked for"),
        (
            "nodes_up",
            [*happened(FIFO), {"kind": "nodes", "when": "after", "states": {"idle": 3, "down*": 1}}],
            {},
            "1 node down at the end",
        ),
        ("nothing_left", happened(FIFO), {"end": {"left": "a slurmd"}}, "iteration 1, mini-slurm: a slurmd"),
        ("fresh", happened(FIFO), {"fresh": False}, "had seen jobs before"),
        ("arms_unchanged", happened(FIFO), {"settings": {"elastic": "on"}}, "elastic was another one before"),
        ("arms_unchanged", happened(FIFO), {"version": "1.1"}, "its version was another one before"),
        ("stamps_agree", [*happened(FIFO)[:2], job(3, 2, 15, 20, inside_ended=ns(20.2))], {}, "first job 3 (short), by 200 ms"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_arm_fails_its_check_and_is_told(
    check: str, told: list[dict[str, Any]], more: dict[str, Any], words: str
) -> None:
    measured = assemble(with_first(told, **more))
    assert measured.status == "invalid"
    assert words in failed(measured)[check]
    assert f"{check}: " in (measured.reason or "")


def test_arms_that_do_not_take_turns_are_told() -> None:
    straight = [turn(4).log, turn(3).log]
    of = [
        *runs()[:3],
        *(ChildRun(replace(log, name=f"{n:02}{log.name[2:]}")) for n, log in enumerate(straight, start=4)),
    ]
    assert failed(assemble(of)) == {"same_iterations": "they ran in the order arm 1 1, arm 2 1, arm 1 2, arm 2 2"}


def test_an_arm_that_lacks_an_iteration_is_told() -> None:
    begun = turn(3, lines("simulated:easy", happened(EASY))[:-1])
    found = failed(assemble([*runs()[:3], begun, turn(4)]))
    assert found["same_iterations"] == "simulated:easy lacks iteration 2"
    assert found["arms_complete"] == "iteration 2, simulated:easy: it did not come to its end"


def test_of_what_is_told_twice_of_a_job_the_first_counts() -> None:
    measured = assemble(with_first([*happened(FIFO), job(3, 2.0, 16.0, 24.0)]))
    assert values(measured, "arm1_makespan_s") == (20.0, 20.0)


def test_arms_that_get_a_job_at_times_apart_had_no_equal_load() -> None:
    # Each within its own tolerance, and half a second apart.
    late = [*happened(FIFO)[:2], job(3, 2.2, 15.0, 20.0)]
    early = [*happened(EASY)[:2], job(3, 1.8, 2.0, 7.0)]
    of = [listed(), turn(1, lines("mini-slurm", late)), turn(2, lines("simulated:easy", early)), turn(3), turn(4)]
    assert failed(assemble(of)) == {"equal_load": "iteration 1: the arms got job 3 at times 400 ms apart"}


def test_a_clock_that_ticks_in_seconds_is_given_a_tick_more() -> None:
    late = [*happened(FIFO)[:2], job(3, 2.9, 15.0, 20.0)]
    assert failed(assemble(with_first(late, clock={"resolution_s": 1.0}))) == {}


def test_what_a_clock_cannot_tell_excuses_stamps_that_lie_apart() -> None:
    told = [*happened(FIFO)[:2], job(3, 2, 15, 20, inside_ended=ns(21.1))]
    assert failed(assemble(with_first(told, clock={"resolution_s": 1.0, "uncertainty_s": 0.05}))) == {}


def test_a_job_that_meets_the_limit_which_its_list_put_there_went_as_planned() -> None:
    short = JOBS[2].model_copy(update={"run_s": 50.0})
    of = [listed((*JOBS[:2], short)), *map(turn, (1, 2, 3, 4))]
    told = [*happened(FIFO)[:2], job(3, 2, 15, 25, state="TIMEOUT")]
    assert "jobs_as_planned" in failed(assemble(with_first(told)))
    assert "jobs_as_planned" not in failed(assemble([of[0], turn(1, lines("mini-slurm", told)), *of[2:]]))


def test_jobs_that_were_not_over_are_kept_as_censored_and_spoil_no_mean() -> None:
    told = [*happened(FIFO)[:2], unended(3, 2.0)]
    measured = assemble(with_first(told, end={"outcome": "timeout"}))
    assert measured.samples["censored"].count(True) == 1
    assert values(measured, "arm1_makespan_s") == (20.0,)  # the second iteration's alone
    assert values(measured, "arm1_completed_share") == (2 / 3, 1.0)
    value, evidence = finding(measured, "arm1_censored")
    assert value == "1 job"
    assert "1 had not begun and 0 were not over" in evidence
    assert "first job 3 (short) of iteration 1, after 23 s" in evidence
    # That a scheduler leaves a job lying is what the run has found, and no fault of it.
    assert measured.status == "ok"


def test_a_clog_names_the_job_that_the_others_wait_behind() -> None:
    measured = assemble(runs())
    assert finding(measured, "arm1_clog") == (
        "9 s, job 2",
        "iteration 1, from 1 s to 10 s: nothing began while 2 jobs waited and 1 node had no job, at their head job 2 (wide), which "
        "asks for 4 nodes of 4",
    )  # fmt: skip


def test_while_every_node_has_a_job_only_what_does_not_end_is_a_clog_and_its_holder_is_named() -> None:
    endless = [unended(1, 0.0, 0.0), unended(2, 1.0), unended(3, 2.0)]
    wide = (JOBS[0].model_copy(update={"nodes": 4}), *JOBS[1:])
    full = {1: (0.0, 0.0, 10.0), 2: (1.0, 10.0, 15.0), 3: (2.0, 15.0, 20.0)}
    said = [
        turn(place, lines("mini-slurm" if place in (1, 4) else "simulated:easy", happened(full), workload=digest(wide)))
        for place in (1, 2, 3, 4)
    ]
    fine = assemble([listed(wide), *said])
    assert {"arm1_clog", "simulated_arm2_clog"}.isdisjoint(found.name for found in fine.findings)
    stuck = turn(1, lines("mini-slurm", endless, end={"outcome": "timeout"}, workload=digest(wide)))
    assert finding(assemble([listed(wide), stuck, *said[1:]]), "arm1_clog") == (
        "at least 24 s, job 1",
        "iteration 1, from 1 s to 25 s: nothing began while 2 jobs waited and every node had a job, the longest job 1 (long), which "
        "has 4 nodes of 4",
    )  # fmt: skip


def test_who_each_arm_is_stands_first_with_its_version_and_what_all_were_given() -> None:
    measured = assemble(runs())
    names = [found.name for found in measured.findings]
    assert names[:3] == ["workload", "arm1", "simulated_arm2"]
    assert finding(measured, "workload")[0] == f"3 jobs, list {digest(JOBS)[:12]}"
    value, evidence = finding(measured, "arm1")
    assert value == "mini-slurm"
    assert evidence.startswith("mini-slurm 1.0; ")
    assert measured.versions == {"mini-slurm": "1.0"}


def test_a_run_that_was_interrupted_and_gone_on_with_says_so() -> None:
    def at(run: ChildRun, second: int) -> ChildRun:
        return replace(run, log=replace(run.log, started_at=f"2026-01-01T00:{second // 60:02}:{second % 60:02}+00:00"))

    first, *rest = runs()
    close = [at(first, 0), *(at(run, 4 * place) for place, run in enumerate(rest, start=1))]
    assert not any(found.name == "gone_on" for found in assemble(close).findings)
    apart = [*close[:3], *(at(run, 4 * place + 300) for place, run in enumerate(rest[2:], start=3))]
    value, evidence = finding(assemble(apart), "gone_on")
    assert value == "1 interruption"
    assert f"after {close[2].log.name}, of 5:01 min" in evidence


def test_of_an_arm_that_suspends_jobs_nothing_is_stated_that_needs_their_run_times() -> None:
    spec = SPEC.model_copy(update={"arms": "slurm:backfill+suspend,simulated:easy"})
    said = lines("slurm:backfill+suspend", happened(FIFO))
    measured = assemble([listed(), turn(1, said), turn(2), turn(3), turn(4, said)], spec)
    named = {metric.name for metric in measured.metrics}
    assert {f"arm1_{figure}" for figure in OF_ARM} - named == {f"arm1_{figure}" for figure in OF_RUN_TIMES}
    assert not any(name.startswith("simulated_arm2_less_arm1_utilisation") for name in named)


def test_what_is_simulated_is_called_so_in_every_finding() -> None:
    measured = assemble(runs())
    assert finding(measured, "simulated_arm2")[0] == "simulated:easy"
    assert "nothing of it was measured" in finding(measured, "simulated_arm2")[1]
    assert not any(found.name.startswith("arm2") for found in measured.findings)
    value, evidence = finding(measured, "simulated_arm2_less_arm1_makespan")
    assert value == "-5 s"
    assert evidence.startswith(
        "simulated:easy (simulated) less mini-slurm, median over 2 iterations, -5 s to -5 s with 50 %"
    )
    assert "zero" not in evidence  # of two values each interval excludes it


def test_of_two_simulated_arms_no_interval_is_told() -> None:
    spec = SchedulersSpec(arms="simulated:fifo,simulated:easy", iters=2)
    of = [listed()]
    for place, iteration, arm in ((2, 1, 1), (3, 1, 2), (4, 2, 2), (5, 2, 1)):
        label, when = (("simulated:fifo", FIFO), ("simulated:easy", EASY))[arm - 1]
        of.append(child(f"{place:02}-iter-{iteration}-arm-{arm}", lines(label, happened(when))))
    measured = assemble(of, spec)
    assert measured.status == "ok"
    assert "confidence" not in finding(measured, "simulated_arm2_less_arm1_makespan")[1]


def test_a_running_slurm_that_is_not_fresh_is_told_and_valid() -> None:
    spec = SPEC.model_copy(update={"arms": "slurm=here,simulated:easy"})
    said = lines("slurm=here", happened(FIFO), fresh=False)
    measured = assemble([listed(), turn(1, said), turn(2), turn(3), turn(4, said)], spec)
    assert measured.status == "ok"
    assert finding(measured, "arm1_not_fresh")[0] == "2 iterations"


def test_jobs_of_a_trace_that_no_arm_can_run_are_told() -> None:
    first = listed()
    *rest, last = first.log.lines
    told = replace(last, text=last.text.replace('"left_out":{}', '"left_out":{"more nodes than there are":7}'))
    measured = assemble([replace(first, log=replace(first.log, lines=(*rest, told))), *runs()[1:]])
    assert finding(measured, "jobs_left_out") == (
        "7 jobs",
        "of the trace, in no arm: 7 jobs with more nodes than there are",
    )


def test_a_run_that_nobody_else_could_check_says_that_it_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = assemble(runs())
    assert not any(found.name == "stays_here" for found in measured.findings)
    rows, nodes = len(measured.samples["job"]), len({*measured.samples["nodes"]} - {""})
    monkeypatch.setattr(findings, "MOST_ROWS", rows)
    monkeypatch.setattr(findings, "MOST_WORDS", nodes)
    assert assemble(runs()).findings == measured.findings
    for name, most in (("MOST_ROWS", rows), ("MOST_WORDS", nodes)):
        monkeypatch.setattr(findings, name, most - 1)
        value, evidence = finding(assemble(runs()), "stays_here")
        assert value == f"{rows} samples"
        assert f"with {nodes} different sets of nodes" in evidence
        monkeypatch.setattr(findings, name, most)


def test_later_batches_count_from_their_own_begin() -> None:
    spec = SPEC.model_copy(update={"batches": 2, "iters": 1})
    second = [{**one, "batch": 2} for one in (job(n, *(at + 30 for at in FIFO[n])) for n in FIFO)]
    told = [*happened(FIFO), {"kind": "batch", "batch": 2, "ns": ns(30.0)}, *second]
    of = [listed(), turn(1, lines("mini-slurm", told)), turn(2, lines("simulated:easy", told))]
    measured = assemble(of, spec)
    assert (measured.status, failed(measured)) == ("ok", {})
    assert [at for at, j in zip(measured.samples["arrival_s"], measured.samples["job"], strict=True) if j == 0][:2] == [
        0.0,
        30.0,
    ]
    first_only = [listed(), turn(1, lines("mini-slurm", happened(FIFO))), turn(2, lines("simulated:easy", told))]
    assert "1 of 2 batches were begun" in failed(assemble(first_only, spec))["equal_load"]


@pytest.mark.parametrize(
    ("of", "status", "words"),
    [
        ([child("01-workload", [], replace(ENDED, code=1), ["no such file"])], "failed", "the list of jobs could not be made: no such file"),
        ([*runs()[:3], turn(3, exit_=replace(ENDED, reason="timeout"))], "timeout", "the time limit ended 04-iter-2-arm-2 after 3.0 s"),
        ([*runs()[:3], turn(3, exit_=replace(ENDED, reason="stopped"))], "interrupted", "perfdb was told to stop"),
        (runs()[:3], "interrupted", "perfdb was interrupted after 2 of 4 turns"),
        ([], "interrupted", "after 0 of 4 turns"),
        ([listed(), child("02-iter-1-arm-1", [], errors=["no slurmctld"])], "failed", "mini-slurm could not begin: it did not come to its end; its last words: no slurmctld"),
        ([listed(), *(turn(n, lines("mini-slurm" if n in (1, 4) else "simulated:easy", [])) for n in (1, 2, 3, 4))], "failed", "no job was submitted"),
    ],
)  # fmt: skip
def test_a_run_that_was_cut_off_says_why(of: list[ChildRun], status: str, words: str) -> None:
    measured = assemble(of)
    assert measured.status == status
    assert words in (measured.reason or "")


@given(st.data())
def test_logs_that_end_anywhere_give_what_their_whole_lines_say(data: st.DataObject) -> None:
    of = runs()
    cut = data.draw(st.integers(0, len(of) - 1))
    log = of[cut].log
    keep = data.draw(st.integers(0, len(log.lines) - 1))
    lost = replace(log, lines=log.lines[:keep], exit=Exit(1.0, None, "lost"))
    measured = assemble([*of[:cut], replace(of[cut], log=lost)])
    assert measured.status == "interrupted"
    whole = {(i, arm) for i, arm in ((1, 1), (1, 2), (2, 2), (2, 1))[: max(0, cut - 1)]}
    rows = measured.samples
    assert set(zip(rows.get("iteration", ()), rows.get("arm", ()), strict=True)) == whole
