"""The charts of a page of the site."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def drawn_charts(page: Page) -> list[Locator]:
    """All of them, whatever they are folded in, each once it says that it is drawn: that is when it comes into view."""
    page.evaluate("document.querySelectorAll('details').forEach(folded => { folded.open = true; })")
    charts = page.locator("[data-chart]").all()
    for chart in charts:
        chart.scroll_into_view_if_needed()
        expect(chart).to_have_attribute("data-drawn", "true")
    return charts
