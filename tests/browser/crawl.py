"""Every page of a site, reached as a reader reaches it: by its links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote, urldefrag, urlsplit

from playwright.sync_api import Error, Page

_FOUND = """() => {
  const all = (selector, name) => [...document.querySelectorAll(selector)].map(e => e[name]);
  return {
    links: all("a[href], link[href]", "href"),
    parts: all("script[src], img[src]", "src"),
    ids: [...document.querySelectorAll("[id]")].map(e => e.id),
    ran: "ran" in window,
  };
}"""


@dataclass
class Crawl:
    """What was found below one address. Pages are visited breadth first; other files are named, not opened.

    Attributes:
        ids: Of each visited page, the places that a link may lead to.
        links: (from, to) of every link, as often as it stands there.
        files: Whatever is not a page: stylesheets, scripts, badges, the feed.
        dead: Pages that did not open, and from where one comes there.
        outward: Links that leave the site.
        ran: Pages in which something of a record ran.
    """

    ids: dict[str, set[str]] = field(default_factory=dict)
    links: list[tuple[str, str]] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    dead: list[tuple[str, str]] = field(default_factory=list)
    outward: list[tuple[str, str]] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)

    def loose_ends(self) -> list[tuple[str, str]]:
        """Links to a place in a page that the page has not."""
        return sorted({(origin, link) for origin, link in self.links if self._is_loose(link)})

    def _is_loose(self, link: str) -> bool:
        page, fragment = urldefrag(link)
        return bool(fragment) and page in self.ids and unquote(fragment) not in self.ids[page]


def crawl(page: Page, start: str) -> Crawl:
    """Visit every page from `start` on that lies in its folder."""
    below = start.rpartition("/")[0] + "/"
    found = Crawl()
    waiting = [(start, "the beginning")]
    known = {start}
    for url, origin in _growing(waiting):
        try:
            page.goto(url)
        except Error:
            found.dead.append((origin, url))
            continue
        here = page.evaluate(_FOUND)
        found.ids[url] = set(here["ids"])
        found.ran += [url] if here["ran"] else []
        for link in [*here["links"], *here["parts"]]:
            target = urldefrag(link).url
            found.links.append((url, link))
            if not target.startswith(below):
                found.outward.append((url, link))
            elif not urlsplit(target).path.endswith(".html"):
                found.files.add(target)
            elif target not in known:
                known.add(target)
                waiting.append((target, url))
    return found


def _growing(waiting: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    while waiting:
        yield waiting.pop(0)
