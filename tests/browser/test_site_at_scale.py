"""The first page of a large registry: small, and there at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from benchmarks.synthetic import write_registry
from perfdb.record import Record
from tests.browser.conftest import Chromium
from tests.browser.sites import FIRST, report, run_of
from tests.end_to_end.conftest import Home

RECORDS = 10_000
LARGEST_BYTES = 2 * 1024 * 1024
LONGEST_S = 2.0
TRIES = 3
# Five hundred series of twenty releases: as many rows and cells as the records can fill.
MACHINES = [f"machine-{number:02}" for number in range(20)]
CONFIGS = [f"config_{number:02}" for number in range(25)]
RELEASES = [f"2026.{number}.1" for number in range(20)]


def records(count: int) -> Iterator[tuple[Record, dict[str, bytes]]]:
    """The first `count` of them, release by release."""
    draw = random.Random(9)
    for number, (release, machine, config) in enumerate(product(RELEASES, MACHINES, CONFIGS)):
        if number == count:
            return
        rates = [draw.lognormvariate(7, 0.1) for _ in "123"]
        yield run_of(release, machine, config, number, FIRST + timedelta(minutes=37 * number), rates), {}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, drill_share: float) -> Path:
    """A site of 10,000 records, or of the share of them that is asked for."""
    home = Home(tmp_path_factory.mktemp("large"))
    count = round(RECORDS * drill_share)
    write_registry(home.root / "mlruns", records(count))
    folder = home.root / "site"
    assert report(home, folder)["records"] == count
    return folder


@pytest.mark.drill
def test_the_overview_of_many_records_is_at_most_two_mebibytes(large: Path) -> None:
    assert (large / "index.html").stat().st_size <= LARGEST_BYTES


def opening(page: Page, site: Path) -> tuple[float, float]:
    """Milliseconds from the start of the navigation to the end of its load event, and to the first paint of a text."""
    page.goto((site / "index.html").as_uri(), wait_until="load")
    expect(page.locator("#trends tbody tr").first).to_be_visible()
    loaded_ms, painted_ms = page.evaluate(
        """() => [performance.getEntriesByType("navigation")[0].loadEventEnd,
                  performance.getEntriesByName("first-contentful-paint")[0]?.startTime]"""
    )
    return loaded_ms, painted_ms


@pytest.mark.drill
def test_the_overview_of_many_records_opens_in_two_seconds(chromium: Chromium, large: Path) -> None:
    opened = []
    for _ in range(TRIES):
        with chromium.page() as page:
            opened.append(opening(page, large))
            page.get_by_role("searchbox").first.fill("cedar")
            expect(page.get_by_role("status").first).to_contain_text("of")
    # What else the machine does can only add to it.
    assert 0 < min(painted_ms for _, painted_ms in opened) <= LONGEST_S * 1000
    assert 0 < min(loaded_ms for loaded_ms, _ in opened) <= LONGEST_S * 1000


@pytest.mark.drill
def test_every_other_page_of_many_records_stays_small_too(large: Path) -> None:
    too_large = {
        str(path.relative_to(large)): path.stat().st_size
        for path in large.rglob("*.html")
        if path.stat().st_size > LARGEST_BYTES
    }
    assert too_large == {}
