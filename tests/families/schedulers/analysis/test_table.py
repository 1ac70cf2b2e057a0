"""One table of everything, in which unlike things stay apart."""

from __future__ import annotations

from perfdb.families.schedulers.analysis.case import RUNNING_TO_END
from perfdb.families.schedulers.analysis.table import metrics_of, table
from tests.families.schedulers.analysis.given import case, row

BOTH = ("scheduler", "experiment")


def jobs(*took: float | None):
    return [row(0, each) for each in took]


def test_mean_and_deviation_are_the_samples() -> None:
    # Of 100, 400 and 700: mean 400, deviation over n - 1 300.
    [cell] = table([case("default", *jobs(100, 400, 700))], "total_time_s", BOTH)
    assert (cell.scheduler, cell.experiment, cell.jobs, cell.unknown) == ("default", "size-2", 3, 0)
    assert (cell.mean, cell.sd) == (400, 300)


def test_one_job_has_no_deviation() -> None:
    [cell] = table([case("default", *jobs(100))], "total_time_s", BOTH)
    assert (cell.mean, cell.sd) == (100, None)


def test_a_mean_is_not_stated_where_a_job_was_not_seen_to_end() -> None:
    [cell] = table([case("default", *jobs(100, None))], "total_time_s", BOTH)
    assert (cell.jobs, cell.unknown, cell.mean, cell.sd) == (2, 1, None, None)


def test_a_case_of_which_no_job_ended_is_a_line_too() -> None:
    [cell] = table([case("default", *jobs(None, None))], "total_time_s", BOTH)
    assert (cell.jobs, cell.unknown, cell.mean) == (2, 2, None)


def test_records_of_one_run_are_pooled() -> None:
    cases = [case("default", *jobs(100), record="1" * 16), case("default", *jobs(300), record="2" * 16)]
    [cell] = table(cases, "total_time_s", BOTH)
    assert (cell.mean, cell.records) == (200, ("1" * 16, "2" * 16))


def test_unlike_things_are_never_one_number() -> None:
    alike = case("easy", *jobs(100))
    others = [
        case("easy", *jobs(100), of="another/logs"),
        case("easy", *jobs(100), made="simulated"),
        case("easy", *jobs(100), made="measured"),
        case("easy", *jobs(100), definition=RUNNING_TO_END),
    ]
    cells = table([alike, *others], "total_time_s", BOTH)
    assert [cell.jobs for cell in cells] == [1] * 5
    assert {(cell.made, cell.definition, cell.of) for cell in cells} == {
        (each.made, each.definition, each.of) for each in (alike, *others)
    }


def test_a_table_by_scheduler_pools_experiments_and_one_by_experiment_schedulers() -> None:
    cases = [
        case("default", *jobs(100)),
        case("default", *jobs(300), experiment="size-3"),
        case("fluence", *jobs(500)),
    ]
    assert [(c.scheduler, c.experiment, c.mean) for c in table(cases, "total_time_s", ("scheduler",))] == [
        ("default", "", 200),
        ("fluence", "", 500),
    ]
    assert [(c.experiment, c.mean) for c in table(cases, "total_time_s", ("experiment",))] == [
        ("size-2", 300),
        ("size-3", 300),
    ]


def test_a_table_of_another_time_has_only_those_who_know_it() -> None:
    cases = [case("default", row(0, 100, wall=44)), case("fluence", *jobs(500))]
    assert metrics_of(cases) == ["total_time_s", "wall_time_s"]
    [cell] = table(cases, "wall_time_s", BOTH)
    assert (cell.scheduler, cell.mean, cell.definition) == ("default", 44, "")


def test_names_are_ordered_by_the_numbers_in_them() -> None:
    names = ("size-100", "size-2", "size-10", "7-size", "size")
    cells = table([case("default", *jobs(100), experiment=name) for name in names], "total_time_s", BOTH)
    assert [cell.experiment for cell in cells] == ["7-size", "size", "size-2", "size-10", "size-100"]
