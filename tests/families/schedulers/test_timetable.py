"""Jobs on their nodes over time: as they were, or, where no bar could be seen, how many nodes were in use."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.families.schedulers.outcome import ArmRun
from perfdb.families.schedulers.timetable import (
    LEVELS,
    MOST_JOBS,
    MOST_NODES,
    middle_iteration,
    ranges_of,
    timetable,
    until_s,
)
from tests.families.schedulers.on_nodes import arm, clogged, ran


def test_a_job_has_its_nodes_from_allocation_to_release_and_runs_in_between() -> None:
    (panel,) = timetable([clogged()[0]]).panels
    first = panel.spans[0]
    assert (first.label, first.kind, first.rows) == ("job 1", "size-3", ((0, 2),))
    assert (first.held, first.ran, first.is_over) == ((0.0, 12.0), (1.0, 11.0), True)


def test_arms_are_panels_in_their_order_and_say_what_came_of_them() -> None:
    first, second = clogged()[:2]
    data = timetable([second, first])
    assert [(panel.label, panel.told) for panel in data.panels] == [
        ("slurm:backfill", "4 jobs in 24 s"),
        ("slurm:builtin", "4 jobs in 30 s"),
    ]
    assert data.kinds == ("size-1", "size-3", "size-4")


def test_stamps_taken_inside_a_job_tell_when_it_ran() -> None:
    job = replace(ran(1, "0", (0.0, 1.0, 2.0, 9.0, 10.0)), inside_began_s=2.5, inside_ended_s=8.5)
    assert timetable([arm(job)]).panels[0].spans[0].ran == (2.5, 8.5)


def test_a_job_that_was_not_over_is_held_until_nobody_watched_any_longer() -> None:
    data = timetable([arm(ran(1, "0-1", (0.0, 1.0, 2.0), size=2, seen_until=60.0))])
    (span,) = data.panels[0].spans
    assert (span.held, span.ran, span.is_over, span.short) == ((1.0, 60.0), (2.0, 60.0), False, "1 …")
    assert data.panels[0].told == "1 of 1 job not over after 60 s"


def test_the_first_of_those_that_wait_is_who_was_submitted_first() -> None:
    turns = [timetable([run]).panels[0].turns for run in clogged()[:2]]
    assert [(t.label, t.begin_s, t.end_s) for t in turns[0]] == [("job 2", 1.0, 12.0)]
    assert [(t.label, t.begin_s, t.end_s) for t in turns[1]] == [("job 2", 1.0, 12.0), ("job 3", 12.0, 24.0)]


def test_a_job_that_never_began_waits_until_nobody_watched_any_longer() -> None:
    panel = timetable([arm(ran(1, "0", (0.0, 0.0, 0.0, 9.0, 9.0)), ran(2, "", (1.0,), seen_until=30.0))]).panels[0]
    assert [(turn.label, turn.begin_s, turn.end_s) for turn in panel.turns] == [("job 2", 1.0, 30.0)]
    assert [span.label for span in panel.spans] == ["job 1"]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=20))
def test_at_every_instant_the_turn_is_that_of_the_first_who_waits(waits: list[tuple[int, int]]) -> None:
    jobs = [
        ran(n, "0", (float(at), float(at + wait), float(at + wait), 99.0, 99.0))
        for n, (at, wait) in enumerate(waits, start=1)
    ]
    turns = timetable([arm(*jobs)]).panels[0].turns
    for at in (place + 0.5 for place in range(41)):
        there = [(j.submitted_s, j.work.job) for j in jobs if (j.submitted_s or 0) < at < (j.allocated_s or 0)]
        said = [turn.short for turn in turns if turn.begin_s < at < turn.end_s]
        assert said == [str(number) for _, number in sorted(there)[:1]]


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("0-2,5", ((0, 2), (5, 5))),
        ("0", ((0, 0),)),
        ("", ()),
        ("2-1", ()),
        ("6", ()),
        ("0,,1", ()),
        ("-3", ()),
        ("9" * 9000, ()),
        (",".join(["0"] * 9000), ()),
    ],
)
def test_nodes_are_some_of_those_there_are_or_not_known(text: str, ranges: tuple[tuple[int, int], ...]) -> None:
    assert ranges_of(text, 6) == ranges


def test_the_middle_iteration_is_the_median_by_time_of_those_that_are_whole() -> None:
    def took(iteration: int, *over: float) -> list[ArmRun]:
        return [
            arm(ran(1, "0", (0.0, 0.0, 0.0, at, at)), iteration=iteration, place=place)
            for place, at in enumerate(over, start=1)
        ]

    assert middle_iteration([*took(1, 5.0, 5.0), *took(2, 9.0, 9.0), *took(3, 6.0, 6.0), *took(4, 7.0)]) == 3
    assert middle_iteration(took(4, 7.0)) == 4


def seen_as_levels(run: ArmRun) -> bool:
    panel = timetable([run]).panels[0]
    assert not (panel.levels and panel.spans)
    return bool(panel.levels)


def test_jobs_are_drawn_one_by_one_only_where_they_can_be_seen() -> None:
    job = ran(1, "0", (0.0, 0.0, 0.0, 10.0, 10.0))
    assert not seen_as_levels(arm(job, nodes=MOST_NODES))
    assert seen_as_levels(arm(job, nodes=MOST_NODES + 1))
    assert seen_as_levels(arm(*[job] * (MOST_JOBS + 1)))
    assert seen_as_levels(arm(replace(job, nodes="")))
    late = ran(2, "0", (9999.0, 9999.0, 9999.0, 10_000.0, 10_000.0))
    assert seen_as_levels(arm(job, late, late))
    assert not seen_as_levels(arm(replace(job, released_s=9000.0), replace(job, released_s=9000.0), late))


def test_why_jobs_are_not_drawn_is_said_once() -> None:
    job = ran(1, "", (0.0, 0.0, 0.0, 10.0, 10.0))
    data = timetable([arm(job), arm(job, label="simulated:easy", place=2)], ("Simulated.",))
    assert data.remarks == (
        "Simulated.",
        "Jobs are not drawn one by one: nobody says which nodes they had (slurm:backfill, simulated:easy).",
    )


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.floats(0, 100), st.floats(0.001, 100)).map(
            lambda made: (made[0], made[1], made[1] + made[2])
        ),
        min_size=1,
        max_size=30,
    )
)
def test_levels_hold_as_many_node_seconds_as_the_jobs(made: list[tuple[int, float, float]]) -> None:
    jobs = [
        ran(n, "", (begin, begin, begin, end, end), size=size) for n, (size, begin, end) in enumerate(made, start=1)
    ]
    run = arm(*jobs, nodes=1000)
    (panel,) = timetable([run]).panels
    used = sum(sum(level.in_use) * (level.end_s - level.begin_s) for level in panel.levels)
    assert len(panel.levels) == LEVELS
    assert panel.levels[-1].end_s == pytest.approx(until_s(run))
    assert used == pytest.approx(sum(size * (end - begin) for size, begin, end in made), rel=1e-6)
    assert min(min(level.in_use) for level in panel.levels) >= -1e-9


def test_levels_are_by_the_kinds_of_the_chart() -> None:
    jobs = [ran(1, "", (0.0, 0.0, 0.0, 10.0, 10.0), size=2), ran(2, "", (0.0, 5.0, 5.0, 10.0, 10.0), size=3)]
    data = timetable([arm(*jobs)])
    assert data.kinds == ("size-2", "size-3")
    assert [data.panels[0].levels[place].in_use for place in (0, LEVELS - 1)] == [(2.0, 0.0), (2.0, 3.0)]
