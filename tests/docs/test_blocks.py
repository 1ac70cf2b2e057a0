"""Every command on a page is typed here as it stands there, or a mark says why not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.blocks import BadMarkError, Block, blocks
from tests.docs.places import CHECKOUT, NEEDS, Place, make_checkout, real_records
from tests.docs.test_prose import NAMES

# Every page of the site. The decisions have no commands to follow, and a page's own test types those of one.
PAGES = [name for name in NAMES if not name.startswith("docs/decisions/")]
TYPED_ELSEWHERE = {"examples/mini-slurm/README.md": "tests/examples/test_mini_slurm.py"}
WITH_COMMANDS = [name for name in PAGES if name not in TYPED_ELSEWHERE and any(blocks(CHECKOUT / name))]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("newcomer")
    make_checkout(top)
    return top


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_the_commands_of_a_page_do_what_it_says(name: str, checkout: Path, tmp_path: Path) -> None:
    found = [block for block in blocks(CHECKOUT / name) if block.typed]
    if not found:
        return
    top = tmp_path / "newcomer"
    shutil.copytree(checkout, top, symlinks=True)
    place = Place(top, folder=top / "checkout")
    try:
        NEEDS.get(name, real_records)(place)
        for block in found:
            expect(place, name, block)
    finally:
        place.end()


def expect(place: Place, name: str, block: Block) -> None:
    """Type a block, and see how it ends."""
    done = place.type(block.typed)
    told = (
        f"{name}:{block.line} ends with {done.returncode}:\n{block.typed}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    )
    assert done.returncode == block.exit_code, told
    home = str(place.top / "home")
    lines = iter(line.replace(home, "~").strip() for line in done.stdout.splitlines())
    missing = [line for line in block.printed if line not in lines]  # what is found is behind what was found before
    assert missing == [], told


@pytest.mark.parametrize("name", WITH_COMMANDS)
def test_what_a_mark_names_in_place_of_a_run_exists(name: str) -> None:
    for block in blocks(CHECKOUT / name):
        assert all((CHECKOUT / test).exists() for test in block.tests), f"{name}:{block.line}: {block.tests}"
        assert block.text.strip(), f"{name}:{block.line}: an empty block"


def test_a_page_whose_commands_are_typed_elsewhere_is_read_there_whole() -> None:
    for name, test in TYPED_ELSEWHERE.items():
        assert all(block.reason == "" for block in blocks(CHECKOUT / name))
        text = (CHECKOUT / test).read_text(encoding="utf-8")
        assert Path(name).name in text and "```sh" in text


def only(tmp_path: Path, text: str) -> Block:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    (block,) = blocks(page)
    return block


def test_a_block_without_a_mark_is_run_whole_and_ends_with_0(tmp_path: Path) -> None:
    block = only(tmp_path, "# A\n\n```text\nno\n```\n\n1. do\n\n   ```sh\n   a \\\n     b\n   c\n   ```\n")
    assert (block.line, block.typed, block.exit_code, block.reason) == (9, "a \\\n  b\nc", 0, "")


def test_a_mark_leaves_out_the_block_or_lines_of_it_or_tells_the_exit_code(tmp_path: Path) -> None:
    commands = "```sh\nslow 1\nquick\nslow \\\n 2\n```\n"
    whole = only(tmp_path, f"<!-- not run: it is slow;\ntests/docs/test_blocks.py is not. -->\n{commands}")
    assert (whole.typed, whole.tests) == ("", ("tests/docs/test_blocks.py",))
    assert only(tmp_path, f"<!-- not run: lines with `slow`: slow. -->\n{commands}").typed == "quick"
    assert only(tmp_path, f"<!-- run: exit 5 -->\n{commands}").exit_code == 5
    assert only(tmp_path, f"<!-- not a mark -->\n{commands}").reason == ""


def test_a_text_that_is_marked_as_printed_is_what_the_commands_above_print_in_this_order(tmp_path: Path) -> None:
    place = Place(tmp_path, folder=tmp_path)
    shown = "```sh\nprintf 'a\\n  b\\nc\\n'\n```\n\nIt says\n\n<!-- printed -->\n```text\n%s\n```\n"
    expect(place, "page.md", only(tmp_path, shown % "a\nb"))
    for wrong in ("a\nd", "b\na"):
        with pytest.raises(AssertionError):
            expect(place, "page.md", only(tmp_path, shown % wrong))


@pytest.mark.parametrize(
    "mark",
    [
        "<!-- not run -->\n",
        "<!-- not run: -->\n",
        "<!-- run: later -->\n",
        "<!-- not run: lines with `nothing`: no such line -->\n",
        "<!-- not run: lines with `true`: all lines -->\n",
        "<!-- not run: too far off -->\n\n",
        "```\nperfdb list\n```\n\n",
        "<!-- printed -->\n```text\nnothing ran\n```\n\n",
    ],
)
def test_a_mark_that_says_nothing_is_a_fault(tmp_path: Path, mark: str) -> None:
    with pytest.raises(BadMarkError):
        only(tmp_path, f"{mark}```sh\ntrue\n```\n")


def test_a_command_that_fails_fails_its_block_whatever_comes_after(checkout: Path) -> None:
    place = Place(checkout, folder=checkout / "checkout", names={"3f2a": "here"})
    assert place.type("perfdb show nothing-like-it\ntrue").returncode == 1
    assert place.type("echo 3f2a; echo $HOME").stdout.split() == ["here", str(checkout / "home")]
