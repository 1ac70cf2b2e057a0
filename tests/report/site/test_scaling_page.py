"""A scaling record's page shows its pictures, each with the table that says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.families.scaling.counted import record, up_to
from tests.report.site.sites import Page, build, dead_links

TITLES = (
    "Throughput against load",
    "Latency against load, wait 1 s",
    "Latency against load, wait 5 s",
    "Success over loads and waits",
    "P99 over loads and waits",
    "Sessions by host",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    root = tmp_path_factory.mktemp("scaling")
    spec = {"mode": "ws", "shape": "burst", "expected_hosts": 2}
    made = record(root, [*up_to(128, hosts=2), *up_to(64, hosts=2, wait_s=5.0)], spec=spec)
    build(root, root / "site")
    return root / "site", made.record_id


def test_every_picture_is_there_with_its_table_and_what_it_shows(site: tuple[Path, str]) -> None:
    page = Page(site[0] / "records" / f"{site[1]}.html")
    for title in TITLES:
        assert title in page.text
    assert page.text.count("As a table") == len(TITLES)
    # 512 sessions at a wait of 1 s took 4.8 s, and the criterion is below 3 s.
    assert "512 4 s 4.4 s 4.8 s 3 s" in page.text
    assert "4.8 s (failed)" in page.text
    assert "Deeper: more succeeded." in page.text
    assert dead_links(site[0]) == []


def test_each_chart_has_words_for_who_cannot_see_it(site: tuple[Path, str]) -> None:
    page = Page(site[0] / "records" / f"{site[1]}.html")
    plots = [attrs for _, attrs in page.elements if "data-plot" in attrs]
    assert len(plots) > len(TITLES)
    assert all(attrs["role"] == "img" and (attrs["aria-label"] or "").strip() for attrs in plots)


def test_an_experiments_page_has_the_curve_over_hosts_with_the_law(tmp_path: Path) -> None:
    for hosts, ceiling in ((1, 128), (2, 225), (4, 327)):
        grid = (100, ceiling, ceiling + 1)
        record(tmp_path, up_to(ceiling, hosts=hosts, grid=grid), spec={"expected_hosts": hosts})
    record(tmp_path, up_to(50, hosts=3), spec={"expected_hosts": 3}, status="invalid", reason="a check failed")
    build(tmp_path, tmp_path / "site")
    page = Page(tmp_path / "site" / "experiments" / "scaling.html")
    assert "Ceiling against hosts: ws, burst, from laptop-7f3a" in page.text
    assert "most at" in page.text
    assert "1 128 sessions 128 sessions" in page.text
    (curve,) = [
        a["aria-label"] or ""
        for _, a in page.elements
        if "ceiling" in (a.get("aria-label") or "").lower() and "data-plot" in a
    ]
    assert "128 sessions at 1, 225 sessions at 2, 327 sessions at 4." in curve.replace(
        ";", "."
    )  # the invalid one is left out
    assert dead_links(tmp_path / "site") == []


def test_one_host_alone_has_no_curve(tmp_path: Path) -> None:
    record(tmp_path, up_to(128))
    record(tmp_path, up_to(64))
    build(tmp_path, tmp_path / "site")
    assert "Ceiling against hosts" not in Page(tmp_path / "site" / "experiments" / "scaling.html").text
