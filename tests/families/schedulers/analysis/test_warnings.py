"""What keeps schedulers from being compared is found, with its figures; and is not found where it is not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from perfdb.families.schedulers.analysis.case import RUNNING_TO_END, Case
from perfdb.families.schedulers.analysis.warnings import Caveat, warnings_of
from tests.families.schedulers.analysis.given import NOON, case, row


def found(cases: Sequence[Case], name: str) -> list[Caveat]:
    return [caveat for caveat in warnings_of(cases) if caveat.name == name]


def fair() -> list[Case]:
    """Two arms in turns, ten jobs each, a job every 10 s."""
    return [
        case(name, *(row(20 * i + late, 100 + i, i) for i in range(10)), of=f"{name}/logs")
        for name, late in (("default", 0), ("fluence", 10))
    ]


def test_arms_in_turns_of_the_same_jobs_are_nothing_to_mind() -> None:
    assert warnings_of(fair()) == ()


def test_one_arm_of_two_submissions_is_told_with_its_gap_and_what_changed_across_it() -> None:
    # 7 iterations a second apart, 540 s of nothing, 13 more; 183 s a job before, and 330 s after.
    early = [row(i, 183, i) for i in range(7)]
    late = [row(546 + i, 330, 7 + i) for i in range(13)]
    [caveat] = found([case("default", *late, *early)], "spliced_arm")
    assert (caveat.of, caveat.runs) == (("default",), ("run/logs",))
    assert (
        "nothing was submitted for 540.0 s between 7 jobs (7 iterations) and 13 jobs (13 iterations)" in caveat.evidence
    )
    assert "from 183.0 s to 330.0 s (size-2)" in caveat.evidence


def test_a_gap_between_batches_is_no_splice() -> None:
    jobs = [*(row(i, 100, i) for i in range(7)), *(row(600 + i, 100, i, batch=1) for i in range(7))]
    assert not found([case("default", *jobs)], "spliced_arm")


def test_submissions_that_are_all_far_apart_are_no_splice() -> None:
    assert not found([case("default", *(row(100 * i + (500 if i > 3 else 0), 50, i) for i in range(8)))], "spliced_arm")


def test_jobs_that_another_scheduler_has_are_missing_with_their_experiments() -> None:
    whole = [case("kueue", *(row(i, 30, i) for i in range(10)), experiment=f"size-{n}", of="kueue") for n in (2, 3)]
    clogged = case("default", row(0, 28, 0), of="default")
    [caveat] = found([*whole, clogged], "missing_jobs")
    assert caveat.of == ("default",)
    assert caveat.evidence == "1 of 20 jobs: size-2 lacks 9 of 10, the last there is iteration 0; size-3 lacks 10 of 10"


def test_an_iteration_that_is_missing_in_every_arm_is_missing() -> None:
    jobs = [row(i, 30, i) for i in (0, 1, 3)]
    [one, other] = found([case(name, *jobs, of=name) for name in ("default", "kueue")], "missing_jobs")
    assert (one.of, other.of) == (("default",), ("kueue",))
    assert one.evidence.startswith("3 of 4 jobs")


def test_a_table_is_missing_what_the_larger_cell_of_an_experiment_has() -> None:
    cases = [
        case("default", *(row(None, 30, None) for _ in range(19))),
        case("fluence", *(row(None, 30, None) for _ in range(20))),
    ]
    [caveat] = found(cases, "missing_jobs")
    assert (caveat.of, caveat.evidence) == (("default",), "19 of 20 jobs: size-2 lacks 1 of 20")


def test_means_over_those_that_did_not_clog_say_what_the_others_would_make_of_them() -> None:
    cases = [
        case("kueue", *(row(i, 30, i) for i in range(4)), of="kueue"),
        case("default", row(0, 20, 0), row(1, 40, 1), of="default"),
    ]
    [caveat] = found(cases, "dropped_clogs")
    assert caveat.of == ("default",)
    # (20 + 40) / 2 = 30; with two of 40 s more, 140 / 4 = 35.
    assert "the mean of 30.0 s is over the 2 that did" in caveat.evidence
    assert "were 2 missing jobs as long as the longest of those, 40.0 s, it would be 35.0 s" in caveat.evidence


def test_clogs_that_are_kept_as_censored_are_not_dropped() -> None:
    cases = [
        case("kueue", *(row(i, 30, i) for i in range(3)), of="kueue"),
        case("default", row(0, 20, 0), row(1, None, 1), of="default"),
    ]
    assert found(cases, "missing_jobs")
    assert not found(cases, "dropped_clogs")


def test_arms_one_after_another_are_told_with_their_times() -> None:
    cases = [
        case("kueue", *(row(3000 + i, 30, i) for i in range(3)), of="kueue"),
        case("default", *(row(i, 30, i) for i in range(3)), of="default"),
    ]
    [caveat] = found(cases, "arms_apart")
    assert caveat.of == ("default", "kueue")
    assert "default from 2024-04-18 12:00:00 to 2024-04-18 12:00:32" in caveat.evidence
    assert "kueue from 2024-04-18 12:50:00" in caveat.evidence
    assert "begun 2998.0 s before the first of kueue" in caveat.evidence


def test_arms_of_one_record_of_ours_took_turns_and_those_of_two_did_not() -> None:
    def ours(scheduler: str, record: str, began: float) -> Case:
        span = (NOON + began, NOON + began + 50)
        return case(scheduler, row(0, 30, 1), row(0, 30, 2), made="measured", record=record * 16, span=span)

    assert not found([ours("slurm:builtin", "1", 0), ours("slurm:backfill", "1", 0)], "arms_apart")
    [caveat] = found([ours("slurm:builtin", "1", 100), ours("slurm:backfill", "2", 0)], "arms_apart")
    assert caveat.of == ("slurm:backfill", "slurm:builtin")


def test_an_arm_whose_jobs_came_slowly_is_told_beside_one_whose_jobs_came_at_once() -> None:
    cases = [
        case("fluence", *(row(i * 23 / 59, 300, i) for i in range(60)), of="fluence"),
        case("default", *(row(i * 60, 100, i) for i in range(60)), of="default"),
    ]
    [caveat] = found(cases, "unequal_load")
    assert caveat.of == ("fluence", "default")
    assert (
        caveat.evidence
        == "60 jobs of fluence were submitted within 23.0 s, 60 jobs of default were submitted within 3540.0 s"
    )


@pytest.mark.parametrize(("jobs", "every_s"), [(30, 1.0), (60, 1.2)])
def test_fewer_jobs_or_a_little_slower_ones_are_no_other_load(jobs: int, every_s: float) -> None:
    cases = [
        case("fluence", *(row(i, 300, i) for i in range(60)), of="fluence"),
        case("default", *(row(every_s * i, 100, i) for i in range(jobs)), of="default"),
    ]
    assert not found(cases, "unequal_load")


def test_a_table_of_arms_that_were_as_busy_could_be_one_submission_each() -> None:
    cases = [
        case(name, *(row(None, 100 * n, None, wall=100) for n in (1, 1, 2, 3)), size=4) for name in ("one", "other")
    ]
    assert not found(cases, "unequal_load")
    assert not found(cases, "spliced_arm")


def test_a_table_of_durations_tells_what_cannot_have_been_one_submission() -> None:
    # One after another on 4 nodes; and six at a time on 4 nodes each.
    queued = case("fluence", *(row(None, 100 * n, None, wall=100) for n in range(1, 7)), size=4)
    apart = case("default", *(row(None, 100, None, wall=100) for _ in range(6)), size=4)
    [load] = found([queued, apart], "unequal_load")
    assert load.of == ("fluence", "default")
    assert "4 nodes of fluence, 24 nodes of default" in load.evidence
    [splice] = found([queued, apart], "spliced_arm")
    assert splice.of == ("default",)
    assert "it is 6 submissions at least" in splice.evidence


def test_a_total_time_that_is_not_from_submission_is_told_beside_the_one_that_is() -> None:
    cases = [case("kueue", row(0, 30), row(0, 50), definition=RUNNING_TO_END)]
    [caveat] = found(cases, "changed_definition")
    assert caveat.of == ("kueue",)
    assert "total_time is first seen running to end" in caveat.evidence
    assert "from submission to end it is 40.0 s" in caveat.evidence


def test_durations_without_an_instant_say_what_cannot_be_told_of_them() -> None:
    [caveat] = found([case("default", row(None, 30, None), row(None, 30, None))], "instants_unknown")
    assert caveat.evidence.startswith("2 durations and not one instant")


def test_runs_that_have_no_experiment_in_common_are_not_set_against_one_another() -> None:
    cases = [
        case("default", *(row(i, 30, i) for i in range(3)), of="default", experiment="size-2"),
        case("kueue", *(row(3000 + i, 30, i) for i in range(9)), of="kueue", experiment="size-9"),
    ]
    assert warnings_of(cases) == ()


def test_runs_of_ours_that_are_not_alike_are_not_set_against_one_another() -> None:
    cases = [
        case(
            name, row(0, 30, 1), made="measured", of=f"{name} list", record=n * 16, span=(NOON + int(n), NOON + int(n))
        )
        for name, n in (("slurm:builtin", "1"), ("slurm:backfill", "2"))
    ]
    assert warnings_of(cases) == ()


def test_simulated_arms_are_not_blamed_for_when_they_ran() -> None:
    cases = [
        case(f"simulated:{name}", row(0, 30, 1), made="simulated", record=n * 16, span=(NOON + int(n), NOON + int(n)))
        for name, n in (("easy", "1"), ("fifo", "2"))
    ]
    assert warnings_of(cases) == ()
