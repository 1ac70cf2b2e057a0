"""What pages and helps show and no test runs can be typed, nevertheless: each command, option and value is one that there is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, commands
from tests.docs.test_blocks import CHECKOUT, PAGES
from tests.docs.test_coming_from import PROGRAMS, parsed

# It writes into the shell's own files already while it is read.
AT_ONCE = "--install-completion"
WORDS_OF_A_SHELL = ("do", "then", "(", "$")


def typed(line: str) -> Iterator[str]:
    """The commands of perfdb's programs in a line of shell, without what stands around them."""
    reader = shlex.shlex(re.sub(r"^\w+\$ ", "", line.replace("\\\n", " ")), posix=True, punctuation_chars="();<>|&\n")
    reader.whitespace = " \t"
    reader.whitespace_split = True
    command: list[str] = []
    for token in [*reader, ";"]:
        if set(token) <= set("();<>|&\n"):
            if command and Path(command[0]).name in PROGRAMS:
                yield shlex.join([Path(command[0]).name, *command[1:]])
            command = []
        elif command or not (re.match(r"\w+=", token) or token in WORDS_OF_A_SHELL):
            command.append(token)


def shown() -> Iterator[tuple[str, str]]:
    """Every such command, with where it stands."""
    for name in PAGES:
        for block in blocks(CHECKOUT / name):
            for line in block.left_out:
                yield from ((name, command) for command in typed(line))
    text = (CHECKOUT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    for examples in re.findall(r"^ +Examples:\n((?:    .*\n)+)", text, re.MULTILINE):
        for line in commands(examples):
            yield from (("docs/reference/cli.md", command) for command in typed(line.strip()))


SHOWN = [(where, command) for where, command in shown() if AT_ONCE not in command]


def test_what_is_shown_and_not_run_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERFDB_ROOT", str(tmp_path))
    assert len(SHOWN) > 200
    for where, command in SHOWN:
        assert parsed(command), where


def test_commands_are_found_in_lines_of_shell() -> None:
    line = "X=1 .venv/bin/perfdb run throughput 'a | b' \\\n  -n 2 > out && for i in 1; do mini-slurm queue; done # perfdb list"
    assert list(typed(line)) == ["perfdb run throughput 'a | b' -n 2", "mini-slurm queue"]
    assert list(typed("host$ perfdb sync | cat")) == ["perfdb sync"]
    assert list(typed('eval "$(perfdb cluster env)"; ls perfdb')) == []
