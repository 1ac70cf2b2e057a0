"""Every check and every finding that a record may have is described where people look for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
MAKERS = ("families", "registry/importers")
# A family's own page has the table of its checks, or the record's page has them.
PAGES = {
    name: CHECKOUT / "docs" / "how-to" / f"{name}.md" for name in ("autoscale", "scaling", "elastic", "schedulers")
}


def names_in(source: Path) -> Iterator[str]:
    """The names of the checks that a module makes: `Check(name=...)`, and what helpers named check or of take first."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", "")
        if called == "Check":
            named = [each.value for each in node.keywords if each.arg == "name"]
        elif called in ("_check", "of") and len(node.args) > 1:
            named = node.args[:1]
        else:
            continue
        yield from (each.value for each in named if isinstance(each, ast.Constant) and isinstance(each.value, str))


def findings_in(source: Path) -> Iterator[str]:
    """The names of the findings that a module makes, as far as they are no patterns."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
            named = [each.value for each in node.keywords if each.arg == "name"]
            yield from (each.value for each in named if isinstance(each, ast.Constant) and isinstance(each.value, str))


def made() -> list[tuple[str, str]]:
    """Every check by the module that makes it."""
    sources = [path for maker in MAKERS for path in (CHECKOUT / "perfdb" / maker).rglob("*.py")]
    return sorted({(path.relative_to(CHECKOUT).as_posix(), name) for path in sources for name in names_in(path)})


@pytest.mark.parametrize(("source", "name"), made())
def test_a_check_is_described_on_the_page_of_its_family_or_of_records(source: str, name: str) -> None:
    family = source.split("/")[2]
    pages = [CHECKOUT / "docs" / "record.md", *([PAGES[family]] if family in PAGES else [])]
    assert any(f"`{name}`" in page.read_text(encoding="utf-8") for page in pages)


def test_every_finding_is_described_on_the_page_of_records() -> None:
    sources = [path for maker in MAKERS for path in (CHECKOUT / "perfdb" / maker).rglob("*.py")]
    found = {name for path in sources for name in findings_in(path)}
    assert len(found) > 20
    page = (CHECKOUT / "docs" / "record.md").read_text(encoding="utf-8")
    assert {name for name in found if f"`{name}`" not in page} == set()


def test_every_family_makes_some() -> None:
    assert {source.split("/")[2] for source, _ in made()} >= {*PAGES, "throughput", "importers"} - {"importers"}
    assert len(made()) > 40
