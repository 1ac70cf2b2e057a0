"""How Sphinx makes the site of this documentation: `make docs`, then site/docs/index.html.

The Markdown is what a reader finds in the repository, and no page holds anything that only the site understands. So the
source folder is the checkout itself: a link between two pages, wherever they lie, works in both places, and one to a file
that is no page is a download. The side bar is made of the lists of links in docs/README.md and two pages below it.
"""

from __future__ import annotations

import re
from typing import Any

project = "perfdb"
author = "the perfdb developers"
extensions = ["myst_parser"]
root_doc = "docs/README"
include_patterns = [
    "*.md",
    "docs/**.md",
    "deploy/**.md",
    "examples/**.md",
    "parsl-configs/**.md",
    "benchmarks/**.md",
    "requirements/**.md",
]
# No page is looked for below these: environments, and thousands of records.
exclude_patterns = [".*", "site", "mlruns", "perfdb", "tests"]
# The anchor of a heading is the one that it has on the pages of the repository.
myst_heading_anchors = 4

smartquotes = False  # what is written stays

html_title = "perfdb"
html_theme = "furo"
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_use_index = False
html_show_search_summary = False  # it is fetched, and from the disk browsers fetch nothing
html_static_path = ["static"]
html_css_files = ["wide.css"]
templates_path = ["templates"]
# The pages stand in folders as in the repository; this one leads to the first of them.
html_additional_pages = {"index": "start.html"}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "report-link.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}

# The pages whose lists say which pages there are, and in which order. Each list is a part of the side bar.
INDEXES = (root_doc, "docs/reference/README", "docs/decisions/README")
_LINK = re.compile(r"\]\(([^)#\s:]+\.md)\)")


def order_of(text: str) -> dict[str, list[str]]:
    """The pages that the lists of a page link to.

    Args:
        text: Markdown. What a list says stands in lines that begin with "- " or are indented.

    Returns:
        For each heading of the second level that has such a list below it, and for "" before the first one: the links to
        pages as they are written, each once and in order.
    """
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    heading = ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith(("- ", "  ")):
            new = [link for link in dict.fromkeys(_LINK.findall(line)) if link not in seen]
            seen.update(new)
            if new:
                found.setdefault(heading, []).extend(new)
    return found


def add_order(_app: Any, page: str, source: list[str]) -> None:
    """Tell Sphinx the order of an index's links, in what it reads of the page and nobody else sees."""
    if page in INDEXES:
        for heading, links in order_of(source[0]).items():
            caption = [f":caption: {heading}"] if heading else []
            source[0] += "\n\n" + "\n".join(["```{toctree}", ":hidden:", *caption, "", *links, "```"]) + "\n"


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("source-read", add_order)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
