"""What an import saves, others accept; what they would refuse is told instead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from perfdb.cli.known import rules
from perfdb.record import Record
from perfdb.redaction import Identity
from perfdb.registry.importers import IMPORTERS
from perfdb.registry.validator import validate_folder
from tests.registry.importers.sources import SHARED, STARTED_MS, add_run, entries, file_store, save, write_log
from tests.registry.importers.test_fluence import TABLE as JOBS
from tests.registry.importers.test_openenv import LATENCIES, raw_line, results, summary_row
from tests.registry.importers.test_table import files

DAY = dt.date(2024, 2, 1)


def accepted(root: Path) -> list[Record]:
    """The records of a registry in which `perfdb validate` finds nothing."""
    report = validate_folder(root, [], rules(), Identity.here())
    assert [(fault.file, fault.field, fault.problem) for fault in report.faults] == []
    return [entry.record for entry in entries(root)]


def store(root: Path) -> dict[str, object]:
    experiment = file_store(root)
    add_run(experiment, lifecycle_stage="deleted", deleted_time=STARTED_MS)
    add_run(experiment, "a" * 32, metrics={"other metric": 52.52, "runtime": 42.42})
    add_run(experiment, "b" * 32, metrics={"Train/Loss": "5 1.0 0\n7 nan 2\n6 inf 1\n", "x": "1 -inf 0\n"})
    add_run(experiment, "c" * 32, status=5, end_time=STARTED_MS - 1000, params={"provider.account": "fake-project"})
    return {"source": experiment.parent}


def load_test(root: Path) -> dict[str, object]:
    lines = [raw_line(x, connect_latency=None, pid=None, hardware=None) for x in LATENCIES]
    return {"source": results(root, [summary_row()], lines)}


def jobs(root: Path) -> dict[str, object]:
    (root / "jobs.csv").write_text(JOBS)
    return {"source": root / "jobs.csv", "date": DAY}


def logs(root: Path) -> dict[str, object]:
    path = write_log(root / "run", "kueue-batch-0-iter-3-size-2")
    path.write_text(path.read_text().replace('"submit_time"', '"other"'))
    return {"source": path.parent}


def table(root: Path) -> dict[str, object]:
    path, mapping = files(root)
    return {"source": path, "mapping": mapping}


def table_of_a_day(root: Path) -> dict[str, object]:
    path, mapping = files(root)
    mapping.write_text(mapping.read_text().replace('start = "started"', ""))
    path.write_text(path.read_text().replace(";20;", ";2000;"))
    return {"source": path, "mapping": mapping, "date": DAY}


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("parsl-perf-archive", store),
        ("mlflow", store),
        ("openenv", load_test),
        ("fluence", jobs),
        ("fluence", logs),
        ("csv", table),
        ("csv", table_of_a_day),
    ],
)
def test_what_is_imported_passes_perfdbs_own_validation(
    tmp_path: Path, kind: str, make: Callable[[Path], dict[str, object]]
) -> None:
    assert kind in IMPORTERS
    saved = save(tmp_path / "mlruns", kind, **make(tmp_path))
    assert saved.faults == []
    assert len(accepted(tmp_path / "mlruns")) == len(saved.added) > 0


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the data does not lie beside this checkout")
@pytest.mark.parametrize(
    ("kind", "path", "count"),
    [
        ("parsl-perf-archive", "parsl-perf-archive", 19),
        ("mlflow", "parsl-perf-archive", 19),
        ("fluence", "fluence/lammps-times.csv", 9),
        ("fluence", "fluence/run10", 7),
    ],
)
def test_the_real_sources_pass_it_too(tmp_path: Path, kind: str, path: str, count: int) -> None:
    saved = save(tmp_path / "mlruns", kind, SHARED / "data" / path, date=DAY)
    assert saved.faults == []
    assert len(accepted(tmp_path / "mlruns")) == count


def test_a_run_that_others_would_refuse_is_told_and_not_saved(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    add_run(experiment)
    add_run(experiment, "f" * 32, start_time=1000, end_time=2000)
    saved = save(tmp_path / "mlruns", "parsl-perf-archive", experiment)
    [fault] = saved.faults
    assert fault.where == f"1/{'f' * 32}"
    assert fault.why == (
        "`perfdb validate` would refuse it: record.json: ended_at: 1970-01-01 00:00 UTC is not between 2015 and now"
    )
    assert len(accepted(tmp_path / "mlruns")) == len(saved.added) == 1


def test_a_retraction_that_others_would_refuse_is_told_and_not_saved(tmp_path: Path) -> None:
    experiment = file_store(tmp_path)
    run = add_run(experiment)
    assert len(save(tmp_path / "mlruns", "mlflow", experiment).added) == 1
    (run / "meta.yaml").write_text(
        (run / "meta.yaml").read_text().replace("active", "deleted") + "deleted_time: 1000\n"
    )
    saved = save(tmp_path / "mlruns", "mlflow", experiment)
    assert (saved.added, saved.retracted) == ([], [])
    assert "at: 1970-01-01 is not between" in saved.faults[0].why
    accepted(tmp_path / "mlruns")
