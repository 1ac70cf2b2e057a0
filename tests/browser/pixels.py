"""Whether something was really drawn: the pixels of a screenshot."""

from __future__ import annotations

import io
from collections import Counter

from PIL import Image
from playwright.sync_api import Locator


def colours(element: Locator) -> Counter[tuple[int, int, int]]:
    """How many pixels of each colour an element shows, once it is scrolled into view."""
    element.scroll_into_view_if_needed()
    return colours_of(element.screenshot(animations="disabled"))


def colours_of(png: bytes) -> Counter[tuple[int, int, int]]:
    """The same of a PNG."""
    with Image.open(io.BytesIO(png)) as image:
        flat = image.convert("RGB")
        counted = flat.getcolors(flat.width * flat.height)
    assert counted is not None
    return Counter({colour: number for number, colour in counted if isinstance(colour, tuple)})


def assert_drawn(element: Locator) -> None:
    """More than a blank rectangle and a frame: many pixels are not of the commonest colour, and these differ."""
    seen = colours(element)
    total = seen.total()
    (_, background), *_ = seen.most_common(1)
    assert total - background > max(100, total // 500), f"{total - background} of {total} pixels are drawn"
    assert len(seen) > 5, f"only the colours {dict(seen)}"
