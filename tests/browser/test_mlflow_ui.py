"""What a person sees of our runs in MLflow's own pages."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from perfdb.record import Artifact, ConfigRef, Metric, sha256_hex
from perfdb.registry import Registry
from tests.browser.conftest import Chromium
from tests.browser.pixels import assert_drawn, colours_of
from tests.browser.watch import Allowed
from tests.end_to_end.conftest import THREADS, Home
from tests.tracking.records import make_record

# What MLflow 3.17's pages do by themselves, on any run.
MLFLOWS_OWN = (
    Allowed(
        r"(answer 404: |console error: .* 404 .*)/?\(?/ajax-api/2\.0/mlflow/users/current\)?$",
        "asks who is logged in; a server without accounts has no such page",
    ),
    Allowed(
        r"console error: null ResizeObserver loop completed with undelivered notifications\. \(/static-files/",
        "its grid of charts measures itself while it grows",
    ),
)
# The half of MLflow's UI that knows runs and metrics; the other half, for language models, comes first by default.
RUNS = "workflowType=machine_learning"
REAL, ONE, OTHER, HOSTILE = "measured here", "made: 710", "made: 905", 'hostile"><img src=x onerror=alert(1)>'
HOSTILE_TEXT = '</script><script>alert(1)</script><img src=x onerror="alert(2)"> [look](javascript:alert(3)) | `x` |'


@dataclass(frozen=True)
class Ui:
    """A running server and what is in it."""

    url: str
    experiment: str
    runs: dict[str, str]

    def page_of(self, name: str, tab: str = "") -> str:
        """The address of a run's page."""
        return f"{self.url}/#/experiments/{self.experiment}/runs/{self.runs[name]}{tab}?{RUNS}"

    @property
    def list(self) -> str:
        """The address of the experiment's table of runs."""
        return f"{self.url}/#/experiments/{self.experiment}/runs?{RUNS}"


def _fill(home: Home) -> None:
    done = home.perf(THREADS, REAL, "--time", "1.5", "--reps", "2", "--no-server")
    assert done.returncode == 0, done.stderr
    registry = Registry(home.root / "mlruns")
    for name, rates, cold_s in ((ONE, (700.0, 710.0, 900.0), 1.5), (OTHER, (890.0, 905.0, 930.0), 0.5)):
        cold = Metric(name="cold_start_s", unit="s", direction="lower", value=cold_s)
        registry.save(make_record(run_name=name, metrics=(_warm(*rates), cold)), {})
    log = HOSTILE_TEXT.encode()
    registry.save(
        make_record(
            run_name=HOSTILE,
            config=ConfigRef(name=HOSTILE_TEXT, source_sha256="a" * 64, fingerprint="b" * 64),
            params={"executor.label": HOSTILE_TEXT},
            artifacts=(Artifact(file="artifacts/01-rep-1.log", sha256=sha256_hex(log), bytes=len(log)),),
        ),
        {"artifacts/01-rep-1.log": log},
    )


def _warm(*values: float) -> Metric:
    return Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", values=values)


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    home = Home(tmp_path_factory.mktemp("ui"))
    _fill(home)
    try:
        assert json.loads(home.perfdb("sync", "--json").stdout)["troubles"] == []
        url = json.loads(home.perfdb("server", "start", "--json").stdout)["url"]
        experiment = _ask(url, "experiments/search", max_results=10, filter="name = 'throughput'")["experiments"][0]
        found = _ask(url, "runs/search", experiment_ids=[experiment["experiment_id"]], max_results=10)["runs"]
        runs = {run["info"]["run_name"]: run["info"]["run_id"] for run in found}
        yield Ui(url, experiment["experiment_id"], runs)
    finally:
        home.perfdb("server", "stop")
        left = home.processes()
    assert left == []


def _ask(url: str, path: str, **question: Any) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/2.0/mlflow/{path}", json.dumps(question).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


@pytest.fixture
def page(chromium: Chromium) -> Iterator[Page]:
    with chromium.page(allowed=MLFLOWS_OWN, viewport={"width": 1500, "height": 1000}) as made:
        yield made


def test_the_experiments_page_lists_every_run(page: Page, ui: Ui) -> None:
    page.goto(ui.list)
    for name in ui.runs:
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    expect(page.get_by_text(f"{len(ui.runs)} matching runs")).to_be_visible()


def test_the_note_on_a_runs_page_has_its_table_and_how_to_run_it_again(page: Page, ui: Ui) -> None:
    page.goto(ui.page_of(REAL))
    page.get_by_text("Show more").click()
    table = page.get_by_role("table").filter(has_text="repetitions").first
    row = table.get_by_role("row", name=re.compile("^warm_tasks_per_s "))
    expect(row).to_contain_text("(higher is better)")
    expect(row.get_by_role("cell").nth(1)).to_have_text(re.compile(r"^[\d,.]+ tasks/s$"))
    expect(row.get_by_role("cell").nth(3)).to_have_text("2")
    for command in ("show", "reproduce"):
        expect(page.get_by_text(re.compile(rf"perfdb {command} [0-9a-f]{{16}}"))).to_be_visible()


def test_a_runs_metric_charts_drew(page: Page, ui: Ui) -> None:
    page.goto(ui.page_of(REAL, "/model-metrics"))
    charts = page.get_by_test_id("experiment-view-compare-runs-card")
    expect(charts.first.locator(".scatterlayer .point").first).to_be_visible()
    assert charts.count() >= 4  # of the first repetition's iterations; more as one scrolls
    for chart in charts.all()[:4]:
        assert_drawn(chart.locator(".js-plotly-plot"))


def test_a_runs_artifacts_hold_its_log_and_config_to_read(page: Page, ui: Ui) -> None:
    page.goto(ui.page_of(REAL, "/artifacts"))
    open_folder(page, "artifacts")
    page.get_by_text("01-rep-1.log", exact=True).click()
    expect(page.get_by_text("==== Iteration 1 ====").first).to_be_visible()
    page.get_by_text("config.py", exact=True).click()
    expect(page.get_by_text("from parsl").first).to_be_visible()


def test_a_runs_charts_are_pictures_that_really_drew(page: Page, ui: Ui) -> None:
    page.goto(ui.page_of(REAL, "/artifacts"))
    open_folder(page, "charts")
    pictures = page.get_by_test_id("artifact-tree-node").get_by_text(re.compile(r"^[\w.-]+\.(png|svg)$"))
    expect(pictures.first).to_be_visible()
    names = pictures.all_inner_texts()
    assert len(names) >= 2  # the latencies of its tasks, and its repetitions
    for name in names:
        page.get_by_text(name, exact=True).first.click()
        shown = page.locator(f"img[src*='{name}'], img[src^='blob:'], img[src^='data:image']").last
        expect(shown).to_be_visible()
        page.wait_for_function("image => image.complete && image.naturalWidth > 100", arg=shown.element_handle())
        assert_drawn(shown)


def test_two_runs_ticked_in_the_table_are_compared_value_by_value(page: Page, ui: Ui) -> None:
    page.goto(ui.list)
    for name in (ONE, OTHER):
        page.locator(f"[row-id='{ui.runs[name]}'] .ag-selection-checkbox input").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", name="Comparing 2 Runs from 1 Experiment")).to_be_visible()
    for metric, values in {"warm_tasks_per_s": ("710", "905"), "cold_start_s": ("1.5", "0.5")}.items():
        name = page.get_by_role("link", name=metric, exact=True)
        name.scroll_into_view_if_needed()
        cells = [page.get_by_role("grid").get_by_text(value, exact=True) for value in values]
        # The names and the numbers are two grids side by side: one row is what stands at one height.
        assert [_middle(cell) for cell in cells] == pytest.approx([_middle(name)] * 2, abs=5)


def test_the_comparisons_parallel_coordinates_draw_a_line_for_each_run(page: Page, ui: Ui) -> None:
    runs = json.dumps([ui.runs[ONE], ui.runs[OTHER]], separators=(",", ":"))
    page.goto(f'{ui.url}/#/compare-runs?runs={runs}&experiments=["{ui.experiment}"]')
    expect(page.locator(".parcoords .axis-title", has_text="warm_tasks_per_s")).to_be_visible()
    page.get_by_role("combobox").nth(1).click()
    page.get_by_title("cold_start_s", exact=True).last.click()
    expect(page.locator(".parcoords .axis-title", has_text="cold_start_s")).to_be_visible()
    left, right = (axis.bounding_box() for axis in page.locator(".parcoords .axis .domain").all())
    assert left and right
    between = {
        "x": left["x"] + 5,
        "y": left["y"] - 5,
        "width": right["x"] - left["x"] - 10,
        "height": left["height"] + 10,
    }
    # A colour of the scale for each end of it; no event tells when they are drawn.
    deadline = time.monotonic() + 20
    while len(_colourful(colours_of(page.screenshot(clip=between)))) < 2:
        assert time.monotonic() < deadline, "no coloured lines between the two axes"


def test_hostile_texts_of_a_record_are_only_texts(page: Page, ui: Ui) -> None:
    page.goto(ui.page_of(HOSTILE))
    page.get_by_text("Show more").click()
    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.locator("img[src='x']").count() == 0
    page.goto(ui.page_of(HOSTILE, "/artifacts"))
    open_folder(page, "artifacts")
    page.get_by_text("01-rep-1.log", exact=True).click()
    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()


def _colourful(seen: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    return [colour for colour in seen if max(colour) - min(colour) > 60]


def _middle(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["y"] + box["height"] / 2


def open_folder(page: Page, name: str) -> None:
    """Unfold a folder of a run's artifacts."""
    page.get_by_test_id("artifact-tree-node").filter(has_text=re.compile(f"^{name}$")).last.click()
