"""Jobs under Kubernetes schedulers: the table, and the logs."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from perfdb.errors import UsageError
from tests.registry.importers.sources import SHARED, entries, faults, parts, records, save, source_json, write_log

KIND = "fluence"
DAY = dt.date(2024, 2, 1)
TABLE = """,ranks,size,x,y,z,experiment,scheduler,wall_time,total_time
0,8,4,8,8,8,size-4-8-8-8,fluence,144.0,100.0
1,8,4,8,8,8,size-4-8-8-8,fluence,145.0,400.0
2,8,4,8,8,8,size-4-8-8-8,default,143.0,50.0
3,8,4,8,8,8,size-4-8-8-8,fluence,146.0,700.0
"""
REAL = SHARED / "data" / "fluence"
SEED = sorted((SHARED / "seeds").glob("004_*.txt"))


def table(folder: Path, text: str = TABLE) -> Path:
    path = folder / "lammps-times.csv"
    path.write_text(text)
    return path


def test_a_cell_of_the_table_is_a_record_with_one_value_a_job(tmp_path: Path) -> None:
    default, fluence = records(KIND, table(tmp_path), date=DAY)
    total = fluence.metric("total_time_s")
    assert total is not None
    assert total.values == (100.0, 400.0, 700.0)
    named = {m.name: m.value for m in fluence.metrics}
    # Of 100, 400, 700: mean 400, deviation 300. Of 144, 145, 146: 145 and 1.
    assert tuple(named[n] for n in ("total_time_mean_s", "total_time_sd_s", "wall_time_mean_s", "wall_time_sd_s")) == (
        400.0,
        300.0,
        145.0,
        1.0,
    )
    assert (fluence.params) == {
        "scheduler": "fluence",
        "experiment": "size-4-8-8-8",
        "size": 4,
        "ranks": 8,
        "x": 8,
        "y": 8,
        "z": 8,
        "jobs": 3,
    }
    assert (fluence.family, fluence.environment.scheduler) == ("schedulers", "fluence")
    assert default.metric("total_time_sd_s") is None
    assert [(f.name, f.value) for f in default.findings] == [("jobs_missing", "2")]


def test_a_table_without_instants_wants_the_day_and_says_who_gave_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--date YYYY-MM-DD"):
        list(parts(KIND, table(tmp_path)))
    for record in records(KIND, tmp_path / "lammps-times.csv", date=DAY):
        assert dt.datetime(2024, 2, 1, tzinfo=dt.UTC) == record.started_at
        assert "given at the import" in (record.tags or {})["date"]


def test_a_table_is_imported_once(tmp_path: Path) -> None:
    assert len(save(tmp_path / "mlruns", KIND, table(tmp_path), date=DAY).added) == 2
    assert save(tmp_path / "mlruns", KIND, tmp_path / "lammps-times.csv", date=DAY, machine="gke").known == 2


def test_the_same_table_of_another_day_is_another_one(tmp_path: Path) -> None:
    save(tmp_path / "mlruns", KIND, table(tmp_path), date=DAY)
    assert len(save(tmp_path / "mlruns", KIND, tmp_path / "lammps-times.csv", date=dt.date(2024, 2, 2)).added) == 2


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("4,8,4,8,8,8,size-4-8-8-8,default,143.0,nan", "total_time is no number of seconds"),
        ("4,8,4,8,8,8,size-4-8-8-8,default,143.0,-1", "total_time is no number of seconds"),
        ("4,8,4,8,8,8,size-4-8-8-8,,143.0,1", "no scheduler"),
        ("4,8,4", "another number of fields"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_others_come_in(tmp_path: Path, row: str, why: str) -> None:
    saved = save(tmp_path / "mlruns", KIND, table(tmp_path, f"{TABLE}{row}\n"), date=DAY)
    assert len(saved.added) == 2
    [fault] = saved.faults
    assert fault.where == "lammps-times.csv line 6"
    assert why in fault.why


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="perfdb import csv"):
        list(parts(KIND, table(tmp_path, "a,b\n1,2\n"), date=DAY))


def test_logs_become_one_record_per_scheduler_and_size(tmp_path: Path) -> None:
    for iteration, second in ((0, 40), (1, 45)):
        write_log(tmp_path / "run" / "a", f"kueue-batch-0-iter-{iteration}-size-2", f"06:59:{second}.000000")
    write_log(tmp_path / "run" / "b", "default-batch-0-iter-0-size-16-8-8-8")
    save(tmp_path / "mlruns", KIND, tmp_path / "run")
    found = {e.record.run_name: e for e in entries(tmp_path / "mlruns")}
    assert {"kueue size-2", "default size-16-8-8-8"} == found.keys()
    kueue = found["kueue size-2"].record
    assert kueue.params == {"scheduler": "kueue", "experiment": "size-2", "size": 2, "jobs": 2}
    values = {m.name: m.values for m in kueue.metrics if m.values}
    assert values == {"wait_s": (15.0, 10.0), "turnaround_s": (15.25, 10.25), "total_time_s": (0.25, 0.25)}
    assert kueue.environment.scheduler == "kueue"
    assert dt.datetime(2024, 4, 18, 6, 59, 40, tzinfo=dt.UTC) == kueue.started_at
    assert kueue.duration_s == 15.25
    assert all(check.passed for check in kueue.checks)
    assert len(source_json(found["kueue size-2"])["logs"]) == 2
    assert found["default size-16-8-8-8"].record.params["z"] == 8
    assert save(tmp_path / "mlruns", KIND, tmp_path / "run").known == 2


def test_iterations_without_a_log_are_counted(tmp_path: Path) -> None:
    write_log(tmp_path / "run", "kueue-batch-0-iter-4-size-2")
    [record] = records(KIND, tmp_path / "run")
    assert [(f.name, f.value) for f in record.findings] == [("jobs_missing", "4")]


def test_durations_that_do_not_follow_from_the_instants_make_the_record_invalid(tmp_path: Path) -> None:
    path = write_log(tmp_path / "run", "kueue-batch-0-iter-0-size-2")
    path.write_text(path.read_text().replace('"total_time": 0.25', '"total_time": 2.5'))
    [record] = records(KIND, tmp_path / "run")
    assert record.status == "invalid"
    assert "kueue-batch-0-iter-0-size-2.log" in (record.reason or "")


def test_a_clock_in_another_zone_is_noticed(tmp_path: Path) -> None:
    path = write_log(tmp_path / "run", "kueue-batch-0-iter-0-size-2")
    path.write_text(path.read_text().replace("1713423581", "1713430781"))  # two hours later
    assert [record.status for record in records(KIND, tmp_path / "run")] == ["invalid"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("Times:", "Time:", "cut off"),
        ('"uid"', '"id"', "line 10: its uid"),
        ('-iter-0-size-2"', '-iter-1-size-2"', "line 10: its uid"),
        ('"total_time": 0.25', '"total_time": NaN', "line 10: total_time is no number"),
        ('"total_time": 0.25', '"total_time": 1e999', "line 10: total_time is no number"),
        ('"total_time": 0.25', '"total_time": -1', "line 10: total_time is negative"),
        ('"total_time": 0.25', '"total_time": true', "line 10: total_time is no number"),
        ('"start_time": "2024', '"start_time": "24', "line 10: start_time is no instant"),
        ("{", "[" * 50_000, "line 10: what follows `Times` is no JSON"),
        ("Times: recorded-at: 2024-04-18 06:59:55.373107", "Times: whenever", "line 9"),
        ("\n===\nOutput", "Output", "line 1"),
    ],
)
def test_a_bad_log_is_told_with_its_line_and_the_others_come_in(tmp_path: Path, old: str, new: str, why: str) -> None:
    path = write_log(tmp_path / "run", "kueue-batch-0-iter-0-size-2")
    path.write_text(path.read_text().replace(old, new, 1))
    write_log(tmp_path / "run", "kueue-batch-0-iter-0-size-3")
    saved = save(tmp_path / "mlruns", KIND, tmp_path / "run")
    assert len(saved.added) == 1
    [fault] = saved.faults
    assert fault.where == "run/kueue-batch-0-iter-0-size-2.log"
    assert why in fault.why


def test_logs_behind_links_and_logs_without_end_are_not_read(tmp_path: Path) -> None:
    write_log(tmp_path / "run", "kueue-batch-0-iter-0-size-3")
    outside = write_log(tmp_path / "outside", "kueue-batch-0-iter-0-size-2")
    (tmp_path / "run" / outside.name).symlink_to(outside)
    (tmp_path / "run" / "linked").symlink_to(tmp_path / "outside")
    (tmp_path / "run" / "kueue-batch-0-iter-1-size-2.log").write_text("x" * (5 * 1024 * 1024))
    told = faults(KIND, tmp_path / "run")
    assert len(list(parts(KIND, tmp_path / "run"))) == 3
    assert [word for line in told for word in ("link", "larger") if word in line] == ["link", "larger"]


def test_a_folder_without_logs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no log"):
        list(parts(KIND, tmp_path))


def printed(text: str) -> list[dict[tuple[str, str], str]]:
    """The tables of means and of deviations as a person printed them, each figure as it stands."""
    tables: list[dict[tuple[str, str], str]] = []
    scheduler = ""
    for line in text.splitlines():
        if re.match(r"scheduler +experiment", line):
            tables.append({})
        elif tables and (match := re.match(r"(\S+)? +(size-\S+) +(\d+\.\d+)$", line)):
            scheduler = match[1] or scheduler
            tables[-1][scheduler, match[2]] = match[3]
    return tables


@pytest.mark.skipif(not (REAL.is_dir() and SEED), reason="the table and its figures do not lie beside this checkout")
def test_the_real_table_gives_the_18_figures_printed_from_it() -> None:
    found = records(KIND, REAL / "lammps-times.csv", date=DAY)
    assert sum(int(str(record.params["jobs"])) for record in found) == 178
    # In one print the deviations follow the means under a name of their own.
    text = SEED[0].read_text()
    expected = printed(text.replace("Name: total_time", "scheduler experiment\nName: total_time", 1))
    [means, deviations] = [each for each in expected if each][:2]
    assert 9 == len(found) == len(means) == len(deviations)
    for metric, figures in (("total_time_mean_s", means), ("total_time_sd_s", deviations)):
        for record in found:
            value = record.metric(metric)
            assert value is not None
            assert value.value is not None
            figure = figures[str(record.params["scheduler"]), str(record.params["experiment"])]
            assert figure == f"{value.value:.{len(figure.partition('.')[2])}f}"


@pytest.mark.skipif(not REAL.is_dir(), reason="the logs do not lie beside this checkout")
def test_the_real_logs_are_50_jobs_of_one_arm_and_2_of_the_other() -> None:
    jobs: dict[str, int] = {}
    for record in records(KIND, REAL / "run10"):
        scheduler = str(record.params["scheduler"])
        jobs[scheduler] = jobs.get(scheduler, 0) + int(str(record.params["jobs"]))
        assert record.status == "ok"
    assert jobs == {"kueue": 50, "default": 2}
