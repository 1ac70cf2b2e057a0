"""`perfdb plot` makes the figure that was asked for, or says what to ask for instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from perfdb.cli.plot import app
from perfdb.errors import RegistryError, UsageError
from perfdb.record import Code, Metric
from tests.report.charts.test_drawing import saved
from tests.tracking.records import make_record


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*arguments: str) -> None:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output


def record(root: Path, **changes):
    return saved(
        root, {"mode": ["serial"] * 20 + ["burst"] * 20, "latency_s": [0.01 * n for n in range(1, 41)]}, **changes
    )[0]


def releases(root: Path, **changes) -> None:
    for number in range(1, 4):
        rate = Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", values=(700.0, 710.0 * number))
        record(
            root,
            code=Code(perfdb_version="0.1.0", measured={"parsl": f"2026.{number}.1"}),
            metrics=(rate,),
            params={"provider.max_blocks": number},
            **changes,
        )


def test_a_distribution_is_drawn_with_its_counts(root):
    one = record(root)
    typed("ecdf", one.record_id, "--only", "serial", "-o", "out.svg")
    drawn = (root / "out.svg").read_text()
    assert "20 samples, p50 105 ms, p95" in drawn
    assert f"1 record ({one.record_id})" in drawn
    assert "burst" not in drawn


def test_an_existing_file_is_replaced(root):
    one = record(root)
    (root / "out.png").write_text("old")
    typed("repetitions", one.record_id, "-o", "out.png", "--scale", "1")
    assert (root / "out.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in root.iterdir() if path.is_file()] == ["out.png"]


def test_a_record_that_is_not_ok_is_drawn_and_labelled(root):
    one = record(root, status="invalid", reason="a check failed")
    typed("repetitions", one.record_id, "-o", "out.svg")
    assert "1 of them not ok: invalid" in (root / "out.svg").read_text()


def test_a_history_leaves_out_what_does_not_count_and_says_so(root):
    releases(root)
    record(root, status="failed", code=Code(perfdb_version="0.1.0", measured={"parsl": "2026.4.1"}))
    typed("history", "warm_tasks_per_s", "-o", "out.svg")
    drawn = (root / "out.svg").read_text()
    assert "3 records, 6 repetitions" in drawn
    assert "2026.3.1" in drawn
    assert "2026.4.1" not in drawn


def test_a_figure_shows_one_history_and_lists_the_others(root):
    releases(root)
    releases(root, environment=make_record().environment.model_copy(update={"machine": "hopper"}))
    with pytest.raises(UsageError, match=r"(?s)2 histories of warm_tasks_per_s.*machine hopper"):
        CliRunner().invoke(app, ["history", "warm_tasks_per_s", "-o", "out.svg"], catch_exceptions=False)


def test_scaling_counts_its_records(root):
    releases(root)
    typed("scaling", "warm_tasks_per_s", "--x", "provider.max_blocks", "--lines", "config", "-o", "out.svg")
    assert "3 records, 6 values" in (root / "out.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ecdf", "ID", "-o", "out.gif"], r"ends in \.svg"),
        (["ecdf", "ID", "--column", "other", "-o", "out.svg"], "latency_s, mode"),
        (["repetitions", "ID", "--metric", "other", "-o", "out.svg"], "they have cold_start_s"),
        (["iterations", "ID", "--metric", "other", "-o", "out.svg"], "it has tasks_per_s"),
        (["scaling", "warm_tasks_per_s", "--x", "other", "-o", "out.svg"], "1 without other"),
        (["ratios", "ID", "-o", "out.svg"], "two sides"),
    ],
)
def test_what_cannot_be_drawn_is_told_with_what_can(root, arguments, words):
    one = record(root)
    with pytest.raises(UsageError, match=words):
        CliRunner().invoke(app, [one.record_id if a == "ID" else a for a in arguments], catch_exceptions=False)
    assert not (root / "out.svg").exists()


def test_a_folder_that_is_not_there_is_told(root):
    one = record(root)
    with pytest.raises(RegistryError, match="could not be written"):
        CliRunner().invoke(app, ["repetitions", one.record_id, "-o", "missing/out.svg"], catch_exceptions=False)


def test_scaling_draws_each_records_median_and_what_differs_besides_on_lines_of_its_own(root):
    def measured(argsize, *values):
        rate = Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", values=values)
        record(root, metrics=(rate,), params={"provider.max_blocks": 1}, spec={"argsize": argsize})

    measured(0, *[100.0] * 3)
    measured(0, *[200.0] * 9)
    measured(8, 50.0)
    typed("scaling", "warm_tasks_per_s", "--x", "provider.max_blocks", "-o", "out.svg")
    drawn = (root / "out.svg").read_text()
    assert "3 records, 3 values" in drawn
    assert "spec.argsize 0" in drawn
    assert "spec.argsize 8" in drawn
