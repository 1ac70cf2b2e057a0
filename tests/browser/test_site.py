"""The site of `perfdb report`, used: every link followed, every chart drawn, tables sorted and searched."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.crawl import crawl
from tests.browser.drawn import drawn_charts
from tests.browser.pixels import assert_drawn
from tests.browser.sites import HOSTILE, HUGE, IMAGE, RATES, RELEASES, SCRIPT, Site


@pytest.fixture
def on_a_host(site: Site) -> Iterator[str]:
    """The site's address on Python's own static server."""
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(site.folder), "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout is not None
        port = re.search(r"port (\d+)", server.stdout.readline())
        assert port is not None
        yield f"http://127.0.0.1:{port[1]}/"
    finally:
        server.terminate()
        server.wait(10)


def files_of(folder: Path, ending: str) -> set[str]:
    """Names below the site's folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob(f"*{ending}")}


def follow_everything(page: Page, site: Site, start: str) -> None:
    """Every link leads somewhere, every page is reached, nothing leads out, and nothing of a record ran."""
    found = crawl(page, start)
    below = unquote(urlsplit(start).path).rpartition("/")[0] + "/"

    def name(url: str) -> str:
        return unquote(urlsplit(url).path).removeprefix(below)

    assert found.dead == []
    assert found.loose_ends() == []
    assert found.outward == []
    assert found.ran == []
    assert {name(url) for url in found.ids} == files_of(site.folder, ".html")
    assert {name(url) for url in found.files} <= files_of(site.folder, "")
    assert {f"records/{record.record_id}.html" for record in site.records} <= {name(url) for url in found.ids}


def test_every_link_leads_somewhere_from_the_disk(page: Page, site: Site) -> None:
    follow_everything(page, site, site.file())


def test_every_link_leads_somewhere_from_a_static_host(page: Page, site: Site, on_a_host: str) -> None:
    follow_everything(page, site, f"{on_a_host}index.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_draw_their_marks_in_light_and_in_dark(open_page: Callable[..., Page], site: Site, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    for name in site.with_charts:
        page.goto(site.file(name))
        charts = drawn_charts(page)
        assert charts, name
        for chart in charts:
            marks = chart.locator(
                "svg .mark-symbol path, svg .mark-line path, svg .mark-rule line, svg .mark-rect path"
            )
            assert marks.count() > 0
            assert_drawn(chart.locator("svg"))


def test_a_course_goes_from_left_to_right_along_an_axis_with_names(page: Page, site: Site) -> None:
    page.goto(site.file(site.history_page("alder", "local_htex")))
    for chart in drawn_charts(page):
        spots = chart.locator("svg .mark-symbol path").evaluate_all("all => all.map(e => e.getBoundingClientRect().x)")
        assert max(spots) - min(spots) > 100, (chart.get_attribute("data-chart"), spots)
        names = chart.locator("svg .role-axis-label text").evaluate_all(
            "all => all.filter(e => Number(getComputedStyle(e).opacity)).map(e => e.textContent)"
        )
        assert len([name for name in names if not re.fullmatch(r"[\d,.]+", name)]) >= 2 or "2025.1.6" in names, names


def test_every_chart_has_a_text_and_a_table_for_those_who_do_not_see_it(page: Page, site: Site) -> None:
    for name in site.with_charts:
        page.goto(site.file(name))
        for chart in drawn_charts(page):
            words = chart.locator("[data-plot]").get_attribute("aria-label") or ""
            assert len(words.split()) > 3, words
        assert page.locator("main table:has(caption)").count() > 0


def column(page: Page, table: str, heading: str) -> list[str]:
    """The texts of a table's visible cells below a heading."""
    heads = page.locator(f"{table} thead th").all_inner_texts()
    (at,) = [place for place, text in enumerate(heads) if text.strip().startswith(heading)]
    cells = page.locator(f"{table} tbody tr:visible > :nth-child({at + 1})")
    return [cell.strip() for cell in cells.all_inner_texts()]


def numbers(texts: list[str]) -> list[float]:
    """The number that each text begins with."""
    return [float(text.replace(",", "").split()[0]) for text in texts]


def test_a_table_sorts_by_mouse_one_way_and_then_the_other(page: Page, site: Site) -> None:
    page.goto(site.file())
    head = page.locator("#trends thead th", has_text="Median")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    up = numbers(column(page, "#trends", "Median"))
    assert up == sorted(up)
    assert len(set(up)) >= len(RATES)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert numbers(column(page, "#trends", "Median")) == up[::-1]
    assert page.locator("#trends th[aria-sort]").count() == 1


def test_a_table_sorts_by_keyboard(page: Page, site: Site) -> None:
    page.goto(site.file())
    head = page.locator("#trends thead th", has_text="Machine")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    machines = column(page, "#trends", "Machine")
    assert machines == sorted(machines)
    page.keyboard.press("Space")
    assert column(page, "#trends", "Machine") == machines[::-1]
    expect(head.get_by_role("button")).to_be_focused()


def test_a_filter_hides_the_other_rows_and_says_how_many_are_left(page: Page, site: Site) -> None:
    page.goto(site.file())
    total = page.locator("#trends tbody tr").count()
    page.keyboard.press("Tab")
    page.get_by_role("searchbox").first.focus()
    page.keyboard.type("alder local_htex")
    rows = page.locator("#trends tbody tr:visible")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("alder")
    expect(page.get_by_role("status").first).to_have_text(f"1 of {total} rows")
    page.get_by_role("searchbox").first.fill("")
    expect(rows).to_have_count(total)


def test_a_record_is_found_by_its_id_among_all_of_them(page: Page, site: Site) -> None:
    record = site.records[3]
    page.goto(site.file("lists/index.html"))
    page.locator("input[data-search]").focus()
    page.keyboard.type(record.record_id)
    link = page.get_by_role("link", name=record.run_name)
    expect(link).to_have_count(1)
    link.click()
    expect(page.locator("[data-record-id]")).to_have_text(record.record_id)


def test_the_overview_says_what_the_newest_release_did_to_each_config(page: Page, site: Site) -> None:
    page.goto(site.file())
    page.get_by_role("searchbox").first.fill("alder")
    assert set(column(page, "#trends", "Version")) == {list(RELEASES)[-1]}
    assert set(column(page, "#trends", "Verdict")) == {"worse"}
    for change in column(page, "#trends", "Change"):
        ratio, low, high = (float(text) for text in re.findall(r"[-+][\d.]+(?= ?%)", change))
        assert low < ratio < high < -5
        assert ratio == pytest.approx(-20, abs=6)


def test_what_stands_in_no_comparison_is_labelled_where_it_is_listed_and_on_its_page(page: Page, site: Site) -> None:
    for record, label in site.apart.items():
        page.goto(site.file(f"records/{record}.html"))
        expect(page.locator("main .lead .status", has_text=re.compile(f"^{label}$"))).to_be_visible()
        expect(page.locator("main [role=note]").first).to_be_visible()
        page.goto(site.file(site.list_of(record)))
        row = page.locator("tbody tr").filter(has=page.locator(f"a[href$='{record}.html']"))
        expect(row.locator(".status", has_text=re.compile(f"^{label}$"))).to_be_visible()


def test_hostile_texts_of_a_record_are_only_texts(page: Page, site: Site) -> None:
    page.goto(site.file(f"records/{site.hostile.record_id}.html"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(IMAGE)
    for text in (SCRIPT, IMAGE, "{{7*7}}", HUGE):
        expect(page.get_by_text(text).first).to_be_visible()
    assert page.evaluate("'ran' in window") is False
    assert page.locator("img, iframe, object, embed, [onerror], [onload], a[href^='javascript']").count() == 0


def test_a_text_that_runs_backwards_turns_nothing_else_around(page: Page, site: Site) -> None:
    page.goto(site.file(f"records/{site.withdrawn.record_id}.html"))
    assert "\u202e" in HOSTILE
    loose = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter(e =>
            [...e.childNodes].some(n => n.nodeType === 3 && n.data.includes("\u202e"))
            && getComputedStyle(e).unicodeBidi !== "isolate"
            && !e.closest("script, title") ).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert loose == []


def test_all_is_there_to_read_without_javascript(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(site.file())
    expect(page.locator("#trends tbody tr").first).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_count(0)
    expect(page.locator("[data-theme-switch]")).to_be_hidden()
    page.goto(site.file(f"records/{site.sampled.record_id}.html"))
    expect(page.locator("[data-chart] noscript p").first).to_be_visible()
    page.goto(site.file("lists/index.html"))
    page.get_by_role("link", name=re.compile(r"^20\d\d-\d\d")).first.click()
    expect(page.locator("tbody a[href*='records/']").first).to_be_visible()
