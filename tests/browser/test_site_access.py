"""The site for everyone: by keyboard, with a screen reader, in light and dark, on a telephone, on paper."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.drawn import drawn_charts
from tests.browser.sites import Site

# Of each kind of page one; the record with all that is hostile in it is the hardest to lay out.
FIXED = (
    "index.html",
    "history/index.html",
    "comparisons/index.html",
    "changes.html",
    "machines/index.html",
    "machines/alder.html",
    "configs/local_htex.html",
    "experiments/throughput.html",
    "lists/index.html",
    "metrics.html",
    "badges/index.html",
)
TELEPHONE = {"width": 360, "height": 740}

# WCAG 2.2's contrast ratio of every visible text against what is behind it; those below its minimum for their size.
FAINT = """() => {
  const parse = text => {
    const canvas = parse.canvas ||= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, ground) => {
    const alpha = top[3] / 255;
    return [0, 1, 2].map(i => top[i] * alpha + ground[i] * (1 - alpha)).concat(255);
  };
  const ground = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    const page = getComputedStyle(document.documentElement).colorScheme === "dark" ? [18, 18, 18, 255] : [255, 255, 255, 255];
    return layers.reverse().reduce((below, layer) => over(layer, below), page);
  };
  const luminance = rgb => {
    const [r, g, b] = rgb.map(v => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const opacity = element => {
    let product = 1;
    for (let e = element; e; e = e.parentElement) product *= Number(getComputedStyle(e).opacity);
    return product;
  };
  const faint = [];
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(element) || element.closest("script, style, noscript")) continue;
    seen.add(element);
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || style.visibility !== "visible" || !opacity(element)) continue;
    const ink = parse(element instanceof SVGElement ? style.fill : style.color);
    ink[3] *= opacity(element);
    const behind = ground(element);
    const [light, dark] = [luminance(over(ink, behind)), luminance(behind)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    if (ratio < least) {
      faint.push(`${ratio.toFixed(2)} of ${least}: ${element.tagName}.${element.className.baseVal ?? element.className} `
        + walker.currentNode.data.trim().slice(0, 40));
    }
  }
  return [...new Set(faint)];
}"""

# What sticks out at the right; what lies in something that scrolls by itself may be wide.
STICKS_OUT = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  // An absolute one is clipped only by what it is placed in.
  const scrolls = e => {
    for (let up = e.parentElement, placed = getComputedStyle(e).position === "absolute"; up; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (placed && style.position === "static") continue;
      if (style.overflowX !== "visible") return true;
      placed = style.position === "absolute";
    }
    return false;
  };
  return [...document.body.querySelectorAll("*")]
    .filter(e => e.getBoundingClientRect().right > wide + 1 && !scrolls(e))
    .map(e => `${e.tagName}.${e.className.baseVal ?? e.className} ${Math.round(e.getBoundingClientRect().right)} > ${wide}`)
    .slice(0, 5).concat(`the page is ${document.documentElement.scrollWidth} wide`);
}"""

STRUCTURE = """() => {
  const faults = [];
  const one = (selector) => {
    const n = document.querySelectorAll(selector).length;
    if (n !== 1) faults.push(`${n} of ${selector}`);
  };
  const each = (selector, says, good) => document.querySelectorAll(selector).forEach(e => {
    if (!good(e)) faults.push(`${says}: ${e.outerHTML.slice(0, 100)}`);
  });
  ["html[lang]", "main", "body > header", "body > footer", "h1", "title", "header nav[aria-label]"].forEach(one);
  if (!document.title.trim()) faults.push("an empty title");
  const words = e => (e.getAttribute("aria-label") || e.textContent).trim();
  each("table", "no caption", e => e.caption && words(e.caption));
  each("th", "no scope", e => ["row", "col", "rowgroup", "colgroup"].includes(e.scope));
  each("thead th", "an empty heading", words);
  each("img", "no alternative", e => e.hasAttribute("alt"));
  each("svg", "neither named nor hidden", e =>
    e.getAttribute("aria-hidden") === "true" || e.getAttribute("aria-label") || e.querySelector("title")
    || e.closest("[role=img][aria-label], [role=graphics-document][aria-label]"));
  each("a[href], button, summary", "no name", e => words(e) || e.querySelector("img[alt]:not([alt=''])"));
  each("input, select", "no label", e => e.labels.length || e.getAttribute("aria-label"));
  each("nav, [role=region]", "no name", e => e.getAttribute("aria-label") || e.getAttribute("aria-labelledby"));
  each("[aria-labelledby]", "named by nothing", e => document.getElementById(e.getAttribute("aria-labelledby")));
  each("[tabindex]", "out of order", e => e.tabIndex <= 0);
  const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach(id => faults.push(`two of id ${id}`));
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map(e => Number(e.tagName[1]));
  levels.forEach((level, i) => { if (i && level > levels[i - 1] + 1) faults.push(`h${levels[i - 1]} then h${level}`); });
  return [...new Set(faults)];
}"""


def kinds(site: Site) -> list[str]:
    """One page of each kind, and the two hardest records."""
    history = site.history_page("alder", "local_htex")
    records = [f"records/{record.record_id}.html" for record in (site.sampled, site.hostile, site.withdrawn)]
    return [*FIXED, history, site.list_of(site.hostile.record_id), *records]


def found_on(page: Page, site: Site, script: str) -> dict[str, list[str]]:
    """What a script finds at fault on each kind of page."""
    faults = {}
    for name in kinds(site):
        page.goto(site.file(name))
        drawn_charts(page)
        if found := page.evaluate(script):
            faults[name] = found
    return faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(open_page: Callable[..., Page], site: Site, scheme: str) -> None:
    assert found_on(open_page(color_scheme=scheme), site, FAINT) == {}


def test_no_page_is_wider_than_a_telephone(open_page: Callable[..., Page], site: Site) -> None:
    assert found_on(open_page(viewport=TELEPHONE), site, STICKS_OUT) == {}


def test_no_page_is_wider_than_a_desktops_window(page: Page, site: Site) -> None:
    assert found_on(page, site, STICKS_OUT) == {}


def test_everything_has_a_name_and_a_place_for_a_screen_reader(page: Page, site: Site) -> None:
    assert found_on(page, site, STRUCTURE) == {}


def test_the_switch_turns_light_to_dark_and_the_next_page_remembers(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(color_scheme="light")
    page.goto(site.file())

    def ground() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = ground()
    switch = page.locator("[data-theme-switch]")
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-pressed", "true")
    dark = ground()
    assert dark != light
    assert page.evaluate(FAINT) == []
    page.get_by_role("link", name="Records", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="Records")).to_be_visible()
    assert ground() == dark
    page.emulate_media(color_scheme="dark")
    page.locator("[data-theme-switch]").click()
    assert ground() == light


def test_a_chart_follows_the_switch(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(color_scheme="light")
    page.goto(site.file(site.history_page("alder", "local_htex")))
    label = page.locator("[data-chart] svg text").first
    before = label.evaluate("e => getComputedStyle(e).fill")
    page.locator("[data-theme-switch]").click()
    page.wait_for_function(
        "before => { const e = document.querySelector('[data-chart] svg text');"
        " return e && getComputedStyle(e).fill !== before; }",
        arg=before,
    )


def test_the_first_stop_of_the_keyboard_is_a_link_past_the_navigation(page: Page, site: Site) -> None:
    page.goto(site.file())
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_keyboard_goes_through_a_page_in_its_order_and_shows_where_it_is(page: Page, site: Site) -> None:
    page.goto(site.file())
    stops = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, summary, [tabindex='0']")]
            .filter(e => e.checkVisibility()).length"""
    )
    assert stops > 20
    last = -1
    for _ in range(25):
        page.keyboard.press("Tab")
        place, outlined = page.evaluate(
            """() => {
                const here = document.activeElement, style = getComputedStyle(here);
                const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
                return [[...document.querySelectorAll("*")].indexOf(here), shown];
            }"""
        )
        assert place > last
        assert outlined, page.evaluate("document.activeElement.outerHTML")
        last = place


def test_on_paper_there_is_no_navigation_and_the_ink_is_dark(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(color_scheme="dark")
    page.goto(site.file(site.history_page("alder", "local_htex")))
    page.emulate_media(media="print")
    for part in ("header nav", "[data-theme-switch]", ".controls", "a.skip"):
        for element in page.locator(part).all():
            expect(element).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(0, 0, 0)"
    expect(page.locator("main table tbody tr").first).to_be_visible()
    assert page.evaluate(FAINT) == []
