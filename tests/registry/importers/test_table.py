"""Any table, with a mapping file."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import UsageError
from perfdb.record import is_label, is_run_name
from perfdb.registry.importers.names import label_of, metric_names, number_of, run_name_of, tags_of
from tests.registry.importers.sources import entries, faults, parts, records, save, source_json

KIND = "csv"
MAPPING = """
family = "external"
experiment = "io"
group_by = ["nodes"]

[columns]
name = "run"
start = "started"
duration_s = "seconds"
machine = "cluster"
params = ["nodes"]
tags = ["note"]

[metrics.write_rate]
column = "MB/s"
unit = "MB/s"
direction = "higher"
"""
TABLE = """run;nodes;started;seconds;cluster;note;MB/s
a;1;2025-03-01T12:00:00+01:00;10;hopper;first;100.5
b;2;2025-03-01T13:00:00Z;20;hopper;second;200
a;1;2025-03-01T11:30:00Z;5;hopper;first;101
"""


def files(folder: Path, table: str = TABLE, mapping: str = MAPPING) -> tuple[Path, Path]:
    (folder / "t.csv").write_text(table)
    (folder / "m.toml").write_text(f'delimiter = ";"\n{mapping}')
    return folder / "t.csv", folder / "m.toml"


def test_rows_that_agree_in_group_by_are_repetitions_of_one_run(tmp_path: Path) -> None:
    table, mapping = files(tmp_path)
    one, two = records(KIND, table, mapping=mapping)
    metric = one.metric("write_rate")
    assert metric is not None
    assert (metric.values, metric.unit, metric.direction) == ((100.5, 101.0), "MB/s", "higher")
    assert dt.datetime(2025, 3, 1, 11, tzinfo=dt.UTC) == one.started_at
    assert dt.datetime(2025, 3, 1, 11, 30, 5, tzinfo=dt.UTC) == one.ended_at
    assert one.duration_s == 1805.0
    assert (one.experiment, one.family, one.environment.machine, one.run_name) == ("io", "external", "hopper", "a")
    assert (one.params, one.tags) == ({"nodes": 1}, {"note": "first"})
    single = two.metric("write_rate")
    assert single is not None
    assert single.value == 200.0


def test_the_example_of_the_documentation_works(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "import.md").read_text(encoding="utf-8")
    [table] = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    [mapping] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "io.csv").write_text(table)
    (tmp_path / "io.toml").write_text(mapping)
    one, two = records(KIND, tmp_path / "io.csv", mapping=tmp_path / "io.toml")
    assert [m.all_values for record in (one, two) for m in record.metrics] == [(100.5, 101.2), (190.0,)]


def test_without_group_by_each_row_is_a_run_even_if_two_are_alike(tmp_path: Path) -> None:
    table, mapping = files(tmp_path, TABLE + TABLE.splitlines()[1], MAPPING.replace('group_by = ["nodes"]', ""))
    assert len(save(tmp_path / "mlruns", KIND, table, mapping=mapping).added) == 4
    assert save(tmp_path / "mlruns", KIND, table, mapping=mapping).known == 4
    assert len(entries(tmp_path / "mlruns")) == 4


def test_rows_that_move_within_the_table_stay_the_same_runs(tmp_path: Path) -> None:
    ungrouped = MAPPING.replace('group_by = ["nodes"]', "")
    head, one, two, three = TABLE.splitlines()
    table, mapping = files(tmp_path, f"{TABLE}{one}\n", ungrouped)
    assert len(save(tmp_path / "mlruns", KIND, table, mapping=mapping).added) == 4
    files(tmp_path, "\n".join([head, "n;9;2025-03-02T12:00:00Z;10;hopper;new;1", three, one, "", one, two]), ungrouped)
    again = save(tmp_path / "mlruns", KIND, table, mapping=mapping)
    assert (len(again.added), again.known) == (1, 4)


def test_repetitions_that_move_stay_one_run(tmp_path: Path) -> None:
    head, *rows = TABLE.splitlines()
    table, mapping = files(tmp_path)
    save(tmp_path / "mlruns", KIND, table, mapping=mapping)
    files(tmp_path, "\n".join([head, *reversed(rows)]))
    assert ((again := save(tmp_path / "mlruns", KIND, table, mapping=mapping)).added, again.known) == ([], 2)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20240601", dt.datetime(2024, 6, 1)),
        ("2024-06-01", dt.datetime(2024, 6, 1)),
        ("1717200000", dt.datetime(2024, 6, 1)),
        ("1717200000.5", dt.datetime(2024, 6, 1, 0, 0, 0, 500000)),
    ],
)
def test_a_day_and_seconds_since_1970_are_told_apart(tmp_path: Path, text: str, day: dt.datetime) -> None:
    table, mapping = files(tmp_path, f"{TABLE.splitlines()[0]}\na;1;{text};10;hopper;x;1\n")
    assert [day.replace(tzinfo=dt.UTC)] == [record.started_at for record in records(KIND, table, mapping=mapping)]


@pytest.mark.parametrize(
    "text", ["2024", "0", "1717200000000", "99999999999", "1e9", "٣", "202406010123456", "1" * 400]
)
def test_digits_that_are_no_instant_are_told(tmp_path: Path, text: str) -> None:
    table, mapping = files(tmp_path, f"{TABLE}c;3;{text};20;hopper;x;1\n")
    assert faults(KIND, table, mapping=mapping) == [
        "t.csv line 5: started is no instant: neither ISO 8601, nor seconds since 1970 that lie between 2000 and 2100"
    ]


def test_a_run_that_ends_past_every_calendar_is_told(tmp_path: Path) -> None:
    table, mapping = files(tmp_path, f"{TABLE}c;3;9999-12-31;86400;hopper;x;1\n")
    assert faults(KIND, table, mapping=mapping) == ["t.csv line 5: seconds leads past the year 9999"]
    files(tmp_path, TABLE.replace(";20;", ";86400;"), MAPPING.replace('start = "started"\n', ""))
    told = faults(KIND, table, mapping=mapping, date=dt.date(9999, 12, 31))
    assert told == ["t.csv line 3: seconds leads past the year 9999"]


def test_a_given_day_is_where_the_durations_begin(tmp_path: Path) -> None:
    table, mapping = files(tmp_path, mapping=MAPPING.replace('start = "started"\n', ""))
    one, _ = records(KIND, table, mapping=mapping, date=dt.date(2025, 3, 1))
    assert (one.duration_s, one.ended_at) == (15.0, dt.datetime(2025, 3, 1, 0, 0, 15, tzinfo=dt.UTC))
    assert "unknown" not in (one.tags or {})["date"]


def test_all_columns_are_kept_with_the_record(tmp_path: Path) -> None:
    table, mapping = files(tmp_path, TABLE.replace("note", "unmapped"), MAPPING.replace('tags = ["note"]', ""))
    save(tmp_path / "mlruns", KIND, table, mapping=mapping)
    kept = [row for entry in entries(tmp_path / "mlruns") for row in source_json(entry)["rows"]]
    assert {"first", "second"} == {row["unmapped"] for row in kept}


def test_a_table_without_instants_wants_the_day(tmp_path: Path) -> None:
    table, mapping = files(tmp_path, mapping=MAPPING.replace('start = "started"\n', ""))
    with pytest.raises(UsageError, match="--date"):
        list(parts(KIND, table, mapping=mapping))
    assert {"date", "note"} == (records(KIND, table, mapping=mapping, date=dt.date(2025, 3, 1))[0].tags or {}).keys()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("c;3;2025-03-01T13:00:00Z;20;hopper;x;fast", "MB/s is no finite number"),
        ("c;3;2025-03-01T13:00:00Z;20;hopper;x;nan", "MB/s is no finite number"),
        ("c;3;2025-03-01T13:00:00Z;20;hopper;x;", "MB/s is no finite number"),
        ("c;3;yesterday;20;hopper;x;1", "started is no instant"),
        ("c;3;2025-03-01T13:00:00Z;-1;hopper;x;1", "seconds is no number of seconds"),
        ("c;3", "another number of fields"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_others_come_in(tmp_path: Path, row: str, why: str) -> None:
    table, mapping = files(tmp_path, TABLE + row + "\n")
    saved = save(tmp_path / "mlruns", KIND, table, mapping=mapping)
    assert (len(saved.added), [fault.where for fault in saved.faults]) == (2, ["t.csv line 5"])
    assert why in saved.faults[0].why


def test_repetitions_that_differ_in_a_param_are_told(tmp_path: Path) -> None:
    table, mapping = files(tmp_path, mapping=MAPPING.replace('params = ["nodes"]', 'params = ["MB/s"]'))
    told = faults(KIND, table, mapping=mapping)
    assert told == ["t.csv line 2: its repetitions differ in MB/s: add that to `group_by`, or take it from `params`"]


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        ("", "metrics: Field required"),
        ("[metrics]", "metrics"),
        (MAPPING.replace("higher", "upwards"), "direction"),
        (MAPPING.replace('unit = "MB/s"', ""), "unit"),
        (MAPPING.replace("write_rate", "Write-Rate"), "metrics"),
        (MAPPING.replace('"io"', '"../.."'), "experiment"),
        (MAPPING.replace('"external"', '"123"'), "family"),
        (f"colour = 1\n{MAPPING}", "colour"),
        (MAPPING.replace('"run"', '"nowhere"'), "columns that t.csv lacks: nowhere"),
        ("metrics = ", "no TOML"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_its_field(tmp_path: Path, mapping: str, why: str) -> None:
    table, file = files(tmp_path, mapping=mapping)
    with pytest.raises(UsageError, match=why.replace(".", r"\.")):
        list(parts(KIND, table, mapping=file))


def test_a_table_without_a_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--mapping FILE\.toml"):
        list(parts(KIND, files(tmp_path)[0]))


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b'run;"unclosed\n', b"a;a\n1;2\n", b"run\n" + b"x" * 200_000], ids=range(5)
)
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes) -> None:
    table, mapping = files(tmp_path)
    table.write_bytes(data)
    with pytest.raises(UsageError):
        list(parts(KIND, table, mapping=mapping))


@pytest.mark.parametrize(
    ("text", "number"),
    [("8", 8), ("-1", -1), ("0.5", 0.5), ("1e3", 1000.0), (" 7 ", 7), ("9007199254740992", None), ("007", None)]
    + [(text, None) for text in ("", "1_000", "nan", "inf", "1e999", "0x10", "True", "1.2.3", "٣", "1" * 5000)],
)
def test_only_what_people_write_as_a_number_becomes_one(text: str, number: float | None) -> None:
    assert number == number_of(text)


@given(st.text(max_size=300))
def test_any_text_gives_a_label_and_a_run_name(text: str) -> None:
    assert is_label(label_of(text, "otherwise"))
    assert is_run_name(run_name_of(text, "otherwise"))


@given(st.sets(st.text(max_size=120), max_size=20))
def test_any_names_give_as_many_metric_and_tag_names(names: set[str]) -> None:
    from perfdb.record import Metric
    from tests.tracking.records import make_record

    renamed = metric_names(sorted(names))
    assert len(names) == len(set(renamed.values()))
    for name in renamed.values():
        Metric(name=name, unit="", direction="none", value=1.0)
    tags = tags_of(dict.fromkeys(sorted(names), "x" * 2000))
    assert len(names) == len(tags)
    make_record(tags=tags)
