"""Sites to look at, and what is on their pages."""

from __future__ import annotations

import html.parser
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from perfdb.record import Record
from perfdb.registry import Registry
from perfdb.report.site import Built, build_site
from tests.tracking.records import make_record


def saved(root: Path, files: Mapping[str, bytes] | None = None, **changes: Any) -> Record:
    """A record in the registry under `root`."""
    record = make_record(**changes)
    Registry(root / "mlruns").save(record, files or {})
    return record


def build(root: Path, target: Path, **changes: Any) -> Built:
    """A site of all records under `root`."""
    registry = root / "mlruns"
    folders = [str(folder.relative_to(registry)) for folder in Registry(registry).folders()]
    return build_site(registry, folders, target, **{"title": "Fast?", "progress": lambda *_: None, **changes})


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Page(html.parser.HTMLParser):
    """A page as a browser reads it: its elements, its links, its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._script = False
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._script = tag == "script"
        self.words += " " if tag in ("td", "th") else ""

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        if not self._script:
            self.words += data

    @property
    def text(self) -> str:
        """Its words, apart by single blanks."""
        return " ".join(self.words.split())

    @property
    def targets(self) -> list[str]:
        """Where its links, pictures, scripts and styles lead."""
        return [a[name] or "" for _, a in self.elements for name in ("href", "src") if name in a]

    @property
    def ids(self) -> list[str]:
        """Every id on it."""
        return [a["id"] or "" for _, a in self.elements if "id" in a]


def dead_links(site: Path) -> list[str]:
    """Links that lead nowhere within the site, or out of it."""
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    dead = []
    for path, page in pages.items():
        for target in page.targets:
            file, _, anchor = target.partition("#")
            place = (path.parent / unquote(file)).resolve() if file else path
            known = place.is_file() and place.is_relative_to(site.resolve())
            if not known or (anchor and anchor not in pages[place].ids):
                dead.append(f"{path.relative_to(site)}: {target}")
    return dead
