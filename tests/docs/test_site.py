"""The site of the documentation has every page, loads nothing from elsewhere, and no link in it is dead."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from tests.report.site.sites import Page, build, saved

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = ("docs", "deploy", "examples", "parsl-configs", "benchmarks", "requirements")
ANYWHERE = re.compile(r"(https?:)?//|mailto:")


def sphinx(checkout: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """What `make docs` types, with other folders to write to: `target`, and one beside the folder that it is in."""
    (line,) = re.findall(r"-m (sphinx .*)", (CHECKOUT / "Makefile").read_text(encoding="utf-8"))
    elsewhere = {"site/docs": str(target), ".perfdb/docs": str(target.parent.with_name("read"))}
    arguments = [elsewhere.pop(word, word) for word in line.split()]
    assert not elsewhere
    return subprocess.run([sys.executable, "-m", *arguments], cwd=checkout, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Site and report as `make docs` leaves them, the report of one record: the report's folder."""
    root = tmp_path_factory.mktemp("checkout")
    target = root / "site"
    target.mkdir()
    (target / ".perfdb-report").touch()
    done = sphinx(CHECKOUT, target / "docs")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    saved(root)
    build(root, target)
    return target


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted((site / "docs").rglob("*.html")) if "_static" not in path.parts}


def test_every_page_of_the_repository_is_a_page_of_the_site(site: Path) -> None:
    written = [*CHECKOUT.glob("*.md"), *(page for f in FOLDERS for page in (CHECKOUT / f).rglob("*.md"))]
    assert len(written) > 60
    for page in written:
        assert (site / "docs" / page.relative_to(CHECKOUT).with_suffix(".html")).is_file(), page


def test_no_local_link_is_dead(site: Path, pages: dict[Path, Page]) -> None:
    anchors = {path: {a["id"] for _, a in page.elements if a.get("id")} for path, page in pages.items()}
    seen = 0
    for path, page in pages.items():
        for _, attributes in page.elements:
            link = attributes.get("href") or attributes.get("src")
            if not link or ANYWHERE.match(link) or link.startswith("data:"):
                continue
            seen += 1
            name, anchor = urldefrag(link.split("?")[0])
            target = (path.parent / unquote(name)).resolve() if name else path
            assert target.is_relative_to(site), f"{path}: {link}"
            assert target.is_file(), f"{path}: {link}"
            if anchor and target in anchors:
                assert unquote(anchor) in anchors[target], f"{path}: {link}"
    assert seen > 5000


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for name, attributes in page.elements:
            if name != "a":
                for link in (attributes.get("src"), attributes.get("href"), attributes.get("srcset")):
                    assert not link or not ANYWHERE.match(link), f"{path}: {link}"
    styles = list((site / "docs" / "_static").rglob("*.css"))
    assert styles
    for style in styles:
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_the_schemas_can_be_downloaded_as_they_are(pages: dict[Path, Page], site: Path) -> None:
    reference = site / "docs" / "docs" / "reference" / "README.html"
    links = [a["href"] or "" for name, a in pages[reference].elements if name == "a" and "download" in a]
    found = {Path(link).name: (reference.parent / link).resolve().read_bytes() for link in links}
    schemas = {path.name: path.read_bytes() for path in (CHECKOUT / "docs" / "reference").glob("*.json")}
    assert len(schemas) >= 3 and schemas == found


def test_every_page_can_be_searched_from_the_disk(site: Path, pages: dict[Path, Page]) -> None:
    """A script that sets what is looked through: browsers fetch no other file for a page from the disk."""
    index = (site / "docs" / "searchindex.js").read_text(encoding="utf-8")
    assert index.startswith("Search.setIndex(")
    for page in ("README", "docs/tutorial", "docs/how-to/bisect", "docs/reference/metrics", "docs/decisions/README"):
        assert f'"{page}"' in index
    assert "searchindex.js" in (site / "docs" / "search.html").read_text(encoding="utf-8")


def test_the_side_bar_of_every_page_leads_to_every_part(site: Path, pages: dict[Path, Page]) -> None:
    index = (CHECKOUT / "docs" / "README.md").read_text(encoding="utf-8")
    parts = re.findall(r"^## (.+)$", index, re.M)
    assert len(parts) >= 9
    for path, page in pages.items():
        if path.parts[-2:] != ("docs", "index.html"):
            words = " ".join(page.words.split())
            assert all(part in words for part in parts), path


def test_documentation_and_report_lead_to_each_other_and_stay_when_the_other_is_made_again(site: Path) -> None:
    tutorial = (site / "docs" / "docs" / "tutorial.html").read_text(encoding="utf-8")
    assert 'href="../../index.html"' in tutorial
    for page in (site / "index.html", *(site / "records").glob("*.html")):
        (link,) = [a["href"] for _, a in Page(page).elements if (a.get("href") or "").endswith("docs/index.html")]
        assert link and (page.parent / link).resolve() == site / "docs" / "index.html"


def test_a_report_without_documentation_beside_it_leads_to_none(tmp_path: Path) -> None:
    saved(tmp_path)
    build(tmp_path, tmp_path / "site")
    assert "docs/index.html" not in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_what_leads_nowhere_or_is_in_no_list_ends_the_build(tmp_path: Path) -> None:
    small = tmp_path / "small"
    shutil.copytree(CHECKOUT / "docs" / "site", small / "docs" / "site", ignore=shutil.ignore_patterns("__pycache__"))
    links = "[page](nowhere.md) [anchor](other.md#nowhere) [file](../examples/nothing.toml) [folder](../examples/)"
    (small / "docs" / "README.md").write_text(f"# All\n\n{links}\n\n- [other](other.md)\n", encoding="utf-8")
    (small / "docs" / "other.md").write_text("# Other\n", encoding="utf-8")
    (small / "docs" / "lost.md").write_text("# In no list\n", encoding="utf-8")
    (small / "examples").mkdir()
    done = sphinx(small, tmp_path / "site" / "docs")
    assert done.returncode == 1
    complaints = done.stderr.splitlines()
    for what in ("'nowhere.md'", "'nowhere'", "nothing.toml", "'../examples/'", "isn't included in any toctree"):
        assert [line for line in complaints if what in line], what
