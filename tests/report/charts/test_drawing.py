"""Charts as files, drawn by the real engine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from perfdb.record import SampleFile, sha256_hex
from perfdb.registry.samples import to_parquet
from perfdb.registry.store import Registry
from perfdb.report.charts.bundle import bundle
from perfdb.report.charts.drawer import Drawer
from perfdb.report.charts.drawing import FORMATS, page, svg
from perfdb.report.charts.samples import curves, read_samples
from tests.report.charts.test_charts import HOSTILE, charts
from tests.tracking.records import make_record


@pytest.mark.parametrize("number", range(10))
def test_every_kind_of_chart_is_drawn_with_the_text_as_text(number):
    drawn = svg(charts(HOSTILE)[number])
    assert "<script" not in drawn
    assert "NaN" not in re.sub(r">[^<]*<", "><", drawn)
    assert re.search(r'role="graphics-symbol"|class="mark-symbol|mark-line|mark-rect', drawn)


def test_the_same_chart_gives_the_same_bytes():
    spec = charts("plain")[0]
    for name in ("svg", "png", "html"):
        assert FORMATS[name](spec, 1.0) == FORMATS[name](spec, 1.0)
    assert FORMATS["pdf"](spec, 1.0).startswith(b"%PDF-")
    assert FORMATS["png"](spec, 2.0).startswith(b"\x89PNG")


def test_a_page_ends_its_scripts_where_we_do_and_fetches_nothing():
    written = page(charts(HOSTILE)[0])
    assert written.count("</script") == 2
    assert "default-src 'none'" in written
    assert "unsafe-eval" not in written


def test_the_script_of_a_site_is_the_same_each_time_and_ends_no_element():
    made = bundle()
    assert made == bundle()
    assert "window.vegaEmbed" in made
    assert "</script" not in made.lower()


def saved(root: Path, columns, **changes):
    data = to_parquet(columns)
    names = tuple(columns)
    rows = len(next(iter(columns.values())))
    file = SampleFile(file="samples.parquet", sha256=sha256_hex(data), bytes=len(data), rows=rows, columns=names)
    record = make_record(samples=(file,), **changes)
    return record, Registry(root / "mlruns").save(record, {"samples.parquet": data})


def test_samples_that_are_not_what_the_record_says_are_not_drawn(tmp_path):
    record, folder = saved(tmp_path, {"mode": ["a", "b"], "latency_s": [1.0, 2.0]})
    assert read_samples(record, folder) == {"mode": ["a", "b"], "latency_s": [1.0, 2.0]}
    (folder / "samples.parquet").write_bytes(to_parquet({"mode": ["a", "b"], "latency_s": [1.0, 3.0]}))
    assert read_samples(record, folder) == {}
    (folder / "samples.parquet").unlink()
    assert read_samples(record, folder) == {}


def test_what_is_no_finite_number_is_on_no_curve():
    columns = {"x": [1.0, None, float("nan"), float("inf"), True, "2", 3], "by": ["a", "a", "a", "a", "a", "a", "b"]}
    assert curves(columns, "x", "by") == {"a": [1.0], "b": [3.0]}


def test_too_many_curves_become_one():
    columns = {"x": [float(n) for n in range(20)], "by": [str(n) for n in range(20)]}
    assert list(curves(columns, "x", "by")) == [""]


def test_a_records_charts_are_drawn_in_a_process_of_its_own(tmp_path):
    record, folder = saved(tmp_path, {"mode": ["serial"] * 3, "latency_s": [0.1, 0.2, 0.3]})
    with Drawer() as drawer:
        files = drawer.draw(folder)
        assert files is not None
        assert [file.name for file in files] == ["1-rates.svg", "2-latency.svg"]
        assert record.record_id in files[0].read_text()
        (folder / "record.json").write_bytes(b"{}")
        assert drawer.draw(folder) is None
    assert not files[0].exists()


def test_an_engine_that_fell_over_draws_nothing_and_harms_nothing(tmp_path):
    _, folder = saved(tmp_path, {"latency_s": [0.1]})
    with Drawer() as drawer:
        drawer._process.kill()
        assert drawer.draw(folder) is None
        assert drawer.draw(folder) is None


def test_an_engine_that_never_answers_is_ended(tmp_path):
    _, folder = saved(tmp_path, {"latency_s": [0.1]})
    with Drawer() as drawer:
        assert drawer.draw(folder, limit_s=0.0) is None
        assert drawer._process.wait(timeout=5) != 0
