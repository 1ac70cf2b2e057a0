"""What a run of this family is worth: its status, its checks and its findings; from logs that end anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families import ChildRun
from perfdb.families.base import Measurements
from perfdb.families.elastic import FAMILY
from perfdb.processes.log import Exit
from tests.families.elastic.arms import ENDED, SPEC, allocation, child, lines, ms, off, on, resize, runs

Happened = list[dict[str, Any]]


def assemble(of: list[ChildRun], spec: Any = SPEC) -> Measurements:
    return FAMILY.assemble(spec, None, of)


def failed(measured: Measurements) -> dict[str, str]:
    return {check.name: check.detail for check in measured.checks if not check.passed}


def with_on(happened: Happened, **begin: Any) -> list[ChildRun]:
    """The run with its arm `on` another one."""
    first, _, last = runs()
    return [first, child("02-rep-1-on", lines("on", happened, **begin)), last]


def test_a_whole_run_is_valid_and_says_so_check_by_check() -> None:
    measured = assemble(runs())
    assert (measured.status, measured.reason) == ("ok", None)
    assert failed(measured) == {}
    assert [check.name for check in measured.checks] == [
        "arms_complete",
        "jobs_completed",
        "load_equal",
        "arrivals_on_time",
        "arms_interleaved",
        "promised_within_offer",
        "bounds_kept",
        "resizes_told",
        "arms_as_asked",
        "machine_idle_but_for_this",
    ]


def without(kind: str, what: str, **fields: Any) -> Happened:
    matches = {"kind": kind, "what": what, **fields}
    return [one for one in on() if not matches.items() <= one.items()]


def changed(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Happened:
    return [change(one) for one in on()]


@pytest.mark.parametrize(
    ("check", "happened", "begin", "words"),
    [
        (
            "jobs_completed",
            changed(lambda one: {**one, "state": "FAILED"} if "state" in one else one),
            {},
            "elastic job 1 is FAILED",
        ),
        (
            "jobs_completed",
            without("job", "ended", job=2),
            {},
            "urgent job 2 is not known to have ended",
        ),
        (
            "load_equal",
            changed(lambda one: {**one, "done": one["done"] - 1} if one["kind"] == "work" else one),
            {},
            "of its",
        ),
        (
            "load_equal",
            [one for one in on() if one["kind"] != "work"],
            {},
            "told of none of its",
        ),
        ("load_equal", on(), {"mix": "0" * 64}, "it had other jobs than were asked for"),
        ("load_equal", on(), {"cpus": 3}, "3 CPUs were offered, 2 asked for"),
        (
            "arrivals_on_time",
            changed(lambda one: {**one, "ns": ms(300)} if one.get("what") == "arrived" and one["job"] == 2 else one),
            {},
            "job 2 arrived 300 ms after it was to",
        ),
        ("promised_within_offer", [*on(), *allocation(2, (50, 1))], {}, "3 CPUs were promised of 2"),
        ("bounds_kept", [*on(), *allocation(2, (200, 2))], {}, "urgent job 2 held 2 CPUs"),
        ("resizes_told", without("resize", "signalled", generation=1), {}, "resize 1 of job 1 was not signalled"),
        ("resizes_told", without("resize", "acknowledged", generation=1), {}, "resize 1 of job 1 was not acknowledged"),
        ("resizes_told", [*on(), *resize(2, 2, 1, overdue=141)], {}, "job 1 did not let go in time at resize 2"),
    ],
)
def test_what_is_wrong_with_an_arm_makes_the_run_invalid_and_is_told(
    check: str, happened: Happened, begin: dict[str, Any], words: str
) -> None:
    measured = assemble(with_on(happened, **begin))
    assert measured.status == "invalid"
    assert words in failed(measured)[check]
    assert "repetition 1, on" in failed(measured)[check]
    assert check in (measured.reason or "")


def test_a_job_that_was_not_ready_for_a_resize_hears_of_the_next() -> None:
    def early(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "processes": 0} if one.get("what") == "signalled" and one["generation"] == 1 else one

    unheard = [early(one) for one in without("resize", "acknowledged", generation=1)]
    measured = assemble(with_on(unheard))
    assert not failed(measured)
    assert {f.name: f.value for f in measured.findings}["resized_before_ready"] == "1 resize"
    assert "on_grow_to_applied_p50_s" not in {metric.name for metric in measured.metrics}
    alone = [one for one in unheard if not (one["kind"] == "resize" and one["generation"] == 2)]
    assert "resizes_told" in failed(assemble(with_on([*alone, *resize(2, 2, 1, decided=102, written=103)])))


def test_a_resize_of_a_job_that_was_over_is_none() -> None:
    measured = assemble(with_on([*on(), *resize(3, 1, 2, decided=1103, written=1104)]))
    assert {m.name: m.all_values for m in measured.metrics}["on_grows"] == (1.0,)


def test_what_is_given_back_and_given_in_one_instant_is_one_decision() -> None:
    def at_once(one: dict[str, Any]) -> dict[str, Any]:
        is_free = one["kind"] == "allocation" and one["ns"] == ms(142)
        return {**one, "ns": ms(143)} if is_free else one

    happened = changed(at_once)
    assert "promised_within_offer" not in failed(assemble(with_on(happened)))
    assert "promised_within_offer" not in failed(assemble(with_on(happened[::-1])))


def test_what_is_said_twice_counts_once_and_the_first_time() -> None:
    measured = assemble(
        with_on([*on(), {"kind": "job", "job": 1, "what": "ended", "ns": ms(9000), "state": "COMPLETED"}])
    )
    assert {m.name: m.all_values for m in measured.metrics}["on_makespan_s"] == (1.102,)


def test_a_time_of_another_boot_is_no_time_of_this_run() -> None:
    strange = [{**one, "ns": 2**62} if one.get("what") == "submitted" else one for one in on()]
    measured = assemble(with_on(strange))
    assert measured.status == "ok"


def test_a_resize_that_its_job_ended_in_the_middle_of_is_told_enough() -> None:
    assert not failed(assemble(with_on([*on(), *resize(3, 1, 2, decided=1100, written=1101)])))


def test_with_elasticity_off_a_resize_makes_the_run_invalid() -> None:
    _, *others = runs()
    resized = child("01-rep-1-off", lines("off", [*off(), *resize(1, 1, 2, decided=20, written=21)]))
    assert "arms_as_asked" in failed(assemble([resized, *others]))


def test_arms_that_did_not_take_turns_make_the_run_invalid() -> None:
    first, second, third = runs()
    assert list(failed(assemble([second, first, third]))) == ["arms_interleaved"]


def test_others_on_the_machine_make_the_run_invalid() -> None:
    first, second, third = runs()
    busy = [line.text.replace('"busy_s": 1.3', '"busy_s": 1.7') for line in second.log.lines]
    found = failed(assemble([first, child("02-rep-1-on", busy), third]))
    assert found == {
        "machine_idle_but_for_this": "repetition 1, on: others used 12% of the machine's CPU time, 10% are allowed"
    }


def of_cluster(of: list[ChildRun], silent: int = 3) -> list[ChildRun]:
    """As told by arms of which so many, from the first on, don't know what others use."""

    def without_machine(run: ChildRun) -> ChildRun:
        said = [json.loads(line.text) for line in run.log.lines]
        kept = [one for one in said if one["kind"] != "machine"]
        kept[-1]["given"].pop("machine")
        return child(run.log.name, [json.dumps(one) for one in kept])

    return [without_machine(run) if place < silent else run for place, run in enumerate(of)]


@pytest.mark.parametrize(
    ("silent", "words"),
    [
        (3, "not known: nobody told what others used of the CPUs"),
        (1, "others used 2.5% of the CPUs at most; not known of 1 arm"),
        (0, "others used 2.5% of the CPUs at most"),
    ],
)
def test_what_others_used_is_not_known_where_nobody_told(silent: int, words: str) -> None:
    measured = assemble(of_cluster(runs(), silent))
    assert measured.status == "ok"
    assert {c.name: c.detail for c in measured.checks}["machine_idle_but_for_this"] == words


def test_lines_that_got_lost_are_missed() -> None:
    first, second, third = runs()
    kept = [line.text for line in second.log.lines if '"allocated"' not in line.text]
    found = failed(assemble([first, child("02-rep-1-on", kept), third]))
    assert found["arms_complete"] == "repetition 1, on: what it told did not all come: 2 of job"


@pytest.mark.parametrize(
    ("reason", "status"), [("timeout", "timeout"), ("stopped", "interrupted"), ("lost", "interrupted")]
)
def test_a_run_that_was_cut_off_says_how(reason: Any, status: str) -> None:
    first, second, _ = runs()
    cut = child("02-rep-1-on", [line.text for line in second.log.lines[:9]], Exit(2.5, None, reason))
    measured = assemble([first, cut])
    assert (measured.status, "02-rep-1-on after 2.5 s" in (measured.reason or "")) == (status, True)
    assert {metric.name for metric in measured.metrics} >= {"off_makespan_s", "on_grows"}


def test_a_run_between_two_arms_is_interrupted() -> None:
    measured = assemble(runs()[:2])
    assert (measured.status, measured.reason) == ("interrupted", "perfdb was interrupted after 2 of 3 arms")


def test_a_scheduler_that_never_came_up_is_told_in_its_words() -> None:
    end = {"kind": "end", "outcome": "failed", "trouble": "the scheduler ended with code 2: no room", "given": {}}
    measured = assemble([child("01-rep-1-off", [json.dumps(end)], replace(ENDED, code=1))])
    assert measured.status == "failed"
    assert measured.reason == "no arm was begun: it failed: the scheduler ended with code 2: no room"


@pytest.mark.parametrize("cut", range(0, 34))
def test_a_log_that_ends_anywhere_gives_what_is_there(cut: int) -> None:
    first, second, third = runs()
    said = [line.text for line in second.log.lines][:cut]
    measured = assemble([first, child("02-rep-1-on", said), third])
    assert measured.status in ("ok", "invalid")
    assert (measured.status == "ok") == (cut > 32)
    assert "off_makespan_s" in {metric.name for metric in measured.metrics}


@given(place=st.integers(0, 32), text=st.text(max_size=40) | st.just('{"kind": "job"}') | st.just("9" * 5000))
def test_a_line_of_nonsense_is_passed_over(place: int, text: str) -> None:
    first, second, third = runs()
    said = [line.text for line in second.log.lines]
    assert assemble([first, child("02-rep-1-on", [*said[:place], text, *said[place:]]), third]).status == "ok"


@given(data=st.data())
def test_a_number_of_a_hostile_child_never_breaks_the_run(data: st.DataObject) -> None:
    first, second, third = runs()
    said = [json.loads(line.text) for line in second.log.lines]
    one = data.draw(st.sampled_from(said))
    field = data.draw(st.sampled_from(sorted(one.keys() - {"kind", "given", "trouble"})))
    one[field] = data.draw(st.integers(-1, 2**63) | st.floats(0, 1e300) | st.text(max_size=5) | st.none())
    measured = assemble([first, child("02-rep-1-on", [json.dumps(each) for each in said]), third])
    assert FAMILY.summarise(measured.samples) == measured.metrics


def test_what_elasticity_brought_is_told_with_how_sure_that_is() -> None:
    spec = SPEC.model_copy(update={"reps": 6})
    found = {finding.name: finding for finding in assemble(runs(spec), spec).findings}
    told = found["elasticity_makespan"]
    assert told.value == "-400 ms"
    assert told.evidence.startswith(
        "on less off, median over 6 repetitions, -400 ms to -400 ms with 96.9 % confidence; on over off 0.734, 0.734 to 0.734"
    )
    assert found["elasticity_urgent_wait"].value == "+40 ms"
    assert found["enforcement"].value == "cgroup v1"


def test_one_repetition_has_a_difference_and_no_interval() -> None:
    found = {finding.name: finding for finding in assemble(runs()).findings}
    assert found["elasticity_makespan"].evidence == "on less off, median over 1 repetition"


def test_an_arm_that_never_resized_is_told() -> None:
    first, second, _ = runs()
    found = {f.name for f in assemble([first, second, child("03-rep-1-threshold", lines("threshold", off()))]).findings}
    assert "threshold_never_resized" in found
    assert "on_never_resized" not in found


@pytest.mark.parametrize(
    ("cpus", "threshold", "is_told"), [(2, 50, False), (2, 51, True), (4, 75, False), (4, 76, True)]
)
def test_a_threshold_that_gives_away_all_cpus_is_told(cpus: int, threshold: float, is_told: bool) -> None:
    spec = SPEC.model_copy(update={"cpus": cpus, "threshold": threshold})
    found = {finding.name for finding in assemble(runs(spec), spec).findings}
    assert ("threshold_as_on" in found) == is_told


def test_more_cpus_than_there_are_is_told() -> None:
    found = {f.name: f.value for f in assemble(with_on(on(), real_cpus=1, overcommit=True)).findings}
    assert found["overcommitted"] == "2 CPUs of 1"
    assert "overcommitted" not in {f.name for f in assemble(runs()).findings}


def test_a_resize_that_the_next_one_overtook_is_told_and_counted() -> None:
    """The job answers the latest alone."""
    happened = [
        one for one in on() if (one.get("generation"), one.get("what")) not in ((1, "acknowledged"), (1, "applied"))
    ]
    measured = assemble(with_on(happened))
    assert measured.status == "ok"
    assert {f.name: f.value for f in measured.findings}["resized_again_before_answer"] == "1 resize"
    assert "resized_again_before_answer" not in {f.name for f in assemble(runs()).findings}


def test_costs_that_a_job_did_not_live_to_tell_are_counted() -> None:
    happened = [one for one in on() if not (one["kind"] == "cost" and one["generation"] == 2)]
    found = {f.name: f.value for f in assemble(with_on(happened)).findings}
    assert found["costs_not_told"] == "1 resize"
