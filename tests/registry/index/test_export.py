"""Rows for other programs: frames, Parquet, CSV."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas
import pyarrow.parquet
import pytest

import perfdb
from perfdb.errors import RegistryError, UsageError
from perfdb.record import Metric, Retraction, new_uuid
from perfdb.registry import Registry
from perfdb.registry.index import Found, Index, check_target, export
from perfdb.registry.remarks import save_remark
from tests.tracking.records import STARTED, make_record

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'quoted", 'plain, with "signs"\nand lines', "")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four records, one of which is withdrawn."""
    for name in ("PERFDB_ROOT", "PERFDB_REGISTRY", "PERFDB_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    registry = Registry(tmp_path / "mlruns")
    for number, blocks in enumerate((4, "four", None, True)):
        registry.save(
            make_record(
                run_name=f"run {number}",
                started_at=STARTED + timedelta(minutes=number, microseconds=1),
                params={"mixed": blocks, "whole": number, "share": number / 2, "flag": True, "text": "x"},
                metrics=(Metric(name="rate", unit="tasks/s", direction="higher", value=number * 1.5),)
                if number
                else (),
            ),
            {},
        )
    gone = registry.save(make_record(run_name="gone"), {}).name
    retraction = Retraction(uuid=new_uuid(), at=datetime.now(UTC), record_id=gone, reason="a busy node")
    save_remark(tmp_path / "mlruns", retraction)
    return tmp_path


def found(root: Path) -> Found:
    return Index(root / "mlruns", root / ".perfdb").search()


def test_a_frame_has_typed_columns_and_their_units(root: Path) -> None:
    frame = perfdb.load(root=root)
    assert list(frame["name"]) == ["run 3", "run 2", "run 1", "run 0"]
    assert frame.attrs["units"] == {"metric.rate": "tasks/s"}
    kinds = {
        "started_at": "datetime64[us, UTC]",
        "metric.rate": "float64",
        "param.whole": "Int64",
        "param.share": "float64",
        "param.flag": "boolean",
        "param.mixed": "object",
        "repetitions": "Int64",
        "retracted": "boolean",
    }
    assert {name: str(frame[name].dtype) for name in kinds} == kinds
    assert pandas.api.types.is_string_dtype(frame["param.text"])
    assert list(frame["param.mixed"]) == [True, None, "four", 4]
    assert frame["started_at"].iloc[-1] == pandas.Timestamp("2026-11-21T02:28:00.000001Z")
    assert pandas.isna(frame["metric.rate"].iloc[-1])


def test_load_takes_a_query_columns_and_withdrawn_records(root: Path) -> None:
    frame = perfdb.load("param.whole >= 2", root=str(root), columns=["name", "rate"])
    assert frame.to_dict("list") == {"name": ["run 3", "run 2"], "metric.rate": [4.5, 3.0]}
    assert list(perfdb.load("retracted == true", root=root, columns=["name"], retracted=True)["name"]) == ["gone"]
    with pytest.raises(UsageError, match=r"param\.whole"):
        perfdb.load("wholee > 1", root=root)


def test_load_warns_of_what_it_leaves_out(root: Path) -> None:
    folder = next((root / "mlruns").glob("*/*/*/*"))
    (folder / "record.json").write_bytes(b"{")
    with pytest.warns(UserWarning, match=folder.name):
        assert len(perfdb.load(root=root, retracted=True)) == 4


def test_a_root_that_is_not_there_is_no_empty_registry(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        perfdb.load(root=tmp_path / "mistyped")


def test_an_empty_registry_loads_as_an_empty_frame(tmp_path: Path) -> None:
    (tmp_path / "perfdb.toml").touch()
    assert len(perfdb.load(root=tmp_path)) == 0
    assert list(perfdb.load(root=tmp_path, columns=["name", "started_at"]).columns) == ["name", "started_at"]


def test_importing_perfdb_imports_nothing_heavy() -> None:
    heavy = "{'pandas', 'pyarrow', 'duckdb', 'lark', 'mlflow', 'pydantic', 'packaging.version'}"
    code = f"import sys, perfdb; assert callable(perfdb.load); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_search_does_not_wait_for_pandas(root: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from perfdb.registry.index import Index; r = Path(sys.argv[1]);"
        "f = Index(r / 'mlruns', r / '.perfdb').search('whole > 1', sort=['rate'], limit=3); f.rows(f.columns());"
        "print({'pandas', 'mlflow', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_parquet_keeps_types_and_units(root: Path) -> None:
    rows = found(root)
    export(root / "all.parquet", rows, rows.columns())
    table = pyarrow.parquet.read_table(root / "all.parquet")
    assert table.num_rows == 4
    assert table.schema.field("metric.rate").metadata[b"unit"] == b"tasks/s"
    types = {name: str(table.schema.field(name).type) for name in ("started_at", "metric.rate", "param.whole")}
    assert types == {"started_at": "timestamp[us, tz=UTC]", "metric.rate": "double", "param.whole": "int64"}
    assert table.column("param.mixed").to_pylist() == ["true", None, "four", "4"]


def test_a_column_that_is_asked_for_twice_by_its_names_is_there_once(root: Path) -> None:
    rows = found(root)
    export(root / "twice.parquet", rows, rows.columns(["rate", "name", "metric.rate", "name"]))
    assert list(pandas.read_parquet(root / "twice.parquet")) == ["metric.rate", "name"]


def test_csv_names_units_and_keeps_numbers_exact(root: Path) -> None:
    rows = found(root)
    export(root / "all.csv", rows, rows.columns(["name", "rate", "started_at", "param.mixed", "param.flag"]))
    assert (root / "all.csv").read_text().splitlines()[:3] == [
        "name,metric.rate [tasks/s],started_at,param.mixed,param.flag",
        "run 3,4.5,2026-11-21T02:31:00.000001Z,true,true",
        "run 2,3.0,2026-11-21T02:30:00.000001Z,,true",
    ]


def test_no_text_in_a_csv_is_a_spreadsheets_formula(tmp_path: Path) -> None:
    for text in FORMULAS:
        Registry(tmp_path / "mlruns").save(make_record(params={"x": text, "number": -1.5}), {})
    rows = found(tmp_path)
    export(tmp_path / "x.csv", rows, rows.columns(["param.x", "param.number"]))
    with (tmp_path / "x.csv").open(newline="") as file:
        cells = list(csv.reader(file))[1:]
    assert {cell for cell, _ in cells} == {f"'{text}" if text[:1] in tuple("=+-@\t") else text for text in FORMULAS}
    assert {number for _, number in cells} == {"-1.5"}


def test_a_file_that_is_there_is_replaced_only_when_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        check_target(tmp_path / "mine.csv", force=False)
    check_target(tmp_path / "mine.csv", force=True)
    for path in (tmp_path / "x.xlsx", tmp_path / "no-suffix", tmp_path):
        with pytest.raises(UsageError):
            check_target(path, force=True)


def test_an_export_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    rows = found(tmp_path)
    with pytest.raises(RegistryError, match="Nothing was exported"):
        export(tmp_path / "missing" / "x.csv", rows, rows.columns(["name"]))
    assert list(tmp_path.glob("**/*.csv")) == []
