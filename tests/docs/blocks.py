"""The command blocks of the pages, and what their marks say.

A mark is a comment right before its block, which no reader of the page sees:

- `<!-- not run: REASON -->`: the block is not run. The reason names the test that runs the like, if there is one.
- `<!-- not run: lines with `A`, `B`: REASON -->`: lines that hold one of these words are not run, the others are.
- `<!-- run: exit 5 -->`: the block is run, and ends with that exit code.
- `<!-- printed -->`, before a text: the commands right above print each of its lines, in this order.

A block without a mark is run and ends with 0. Every fence says what it holds, so that no commands hide in one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

# What a fence of commands is called.
LANGUAGES = ("sh", "bash", "console", "shell")
_FENCE = re.compile(
    r"(?:^ *<!--(?P<mark>(?:(?!-->)[\s\S])*)-->\n)?^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>[\s\S]*?)^ *```$",
    re.MULTILINE,
)
_NOT_RUN = re.compile(r"not run: (?:lines with (?P<words>`[^`]+`(?:, `[^`]+`)*): )?(?P<reason>\S.*)")
_RUN = re.compile(r"run: exit (?P<code>\d+)")


class BadMarkError(Exception):
    """A mark that says nothing that is known, or of nothing that is there; or a fence that does not say what it holds."""


@dataclass(frozen=True)
class Block:
    """One command block.

    Attributes:
        line: Where its fence stands, counted from 1.
        text: What is typed, every line.
        left_out: The lines that a mark leaves out; all of them if it leaves out the block.
        reason: Why; "" where nothing is left out.
        exit_code: What the rest ends with.
        printed: Lines that it prints, in this order, beside others; without the spaces around them.
    """

    line: int
    text: str
    left_out: tuple[str, ...]
    reason: str
    exit_code: int
    printed: tuple[str, ...] = ()

    @property
    def typed(self) -> str:
        """What is run; "" for nothing."""
        return "\n".join(line for line in commands(self.text) if line not in self.left_out)

    @property
    def tests(self) -> tuple[str, ...]:
        """The tests that the reason names."""
        return tuple(re.findall(r"tests/[\w/.-]*\w", self.reason))


def blocks(page: Path) -> list[Block]:
    """The command blocks of a page, in order.

    Raises:
        BadMarkError: a mark is not understood, or stands before no command block; or a fence has no language.
    """
    text = page.read_text(encoding="utf-8")
    used = 0
    made: list[Block] = []
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start("indent")) + 1
        if not found["language"]:
            raise BadMarkError(f"{page.name}:{line}: a fence of what? sh, console, text, toml …")
        mark = " ".join((found["mark"] or "").split())
        if found["language"] == "text" and mark == "printed":
            if not made or not made[-1].typed:
                raise BadMarkError(f"{page.name}:{line}: no command is run above")
            made[-1] = replace(made[-1], printed=tuple(map(str.strip, found["text"].splitlines())))
            used += 1
        if found["language"] not in LANGUAGES:
            continue
        used += is_mark(mark)
        body = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        try:
            made.append(_marked(mark, line, body))
        except BadMarkError as error:
            raise BadMarkError(f"{page.name}:{line}: {error}") from error
    marks = [comment for comment in re.findall(r"^ *<!--([\s\S]*?)-->", text, re.MULTILINE) if is_mark(comment)]
    if len(marks) != used:
        raise BadMarkError(f"{page.name}: {len(marks) - used} marks stand before no command block")
    return made


def is_mark(comment: str) -> bool:
    """Whether a comment speaks of running at all, or of what it prints."""
    return re.match(r"\s*((not )?run|printed)\b", comment) is not None


def commands(text: str) -> list[str]:
    """The lines of a block, those that a backslash joins as one."""
    found: list[str] = []
    for line in text.splitlines():
        if found and found[-1].endswith("\\"):
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return found


def _marked(mark: str, line: int, text: str) -> Block:
    if not is_mark(mark):
        return Block(line, text, (), "", 0)
    if run := _RUN.fullmatch(mark):
        return Block(line, text, (), "", int(run["code"]))
    if not (told := _NOT_RUN.fullmatch(mark)):
        raise BadMarkError(f"no mark is known that says {mark!r}")
    lines = tuple(commands(text))
    if not told["words"]:
        return Block(line, text, lines, told["reason"], 0)
    words = re.findall(r"`([^`]+)`", told["words"])
    for word in words:
        if not any(word in one for one in lines):
            raise BadMarkError(f"no line has the word {word!r}")
    left_out = tuple(one for one in lines if any(word in one for word in words))
    if left_out == lines:
        raise BadMarkError("no line is left to be run: mark the block")
    return Block(line, text, left_out, told["reason"], 0)
