"""The moving line on a terminal."""

from __future__ import annotations

import os
import pty
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

SPEAK = """
from perfdb.cli.terminal import Voice
voice = Voice()
voice.progress("rep 1/3, load 96", "1 s, 10 of 96 over")
voice.progress("rep 1/3, load 96", "4 s, 60 of 96 over, 2 failed")
voice.progress("rep 1/3, load 96", "x" * 200)
voice.progress("rep-1", "iteration 1")
voice.progress("rep-1", "250 tasks/s")
"""


def lines_on_a_terminal(columns: int) -> list[str]:
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(ours, "rb") as screen:
        process = subprocess.Popen([sys.executable, "-c", SPEAK], stderr=theirs)
        os.close(theirs)
        assert process.wait(60) == 0
        return os.read(screen.fileno(), 4096).decode().split("\r\x1b[K")[1:]


def test_each_line_takes_the_place_of_the_last_and_never_wraps() -> None:
    first, second, long, _, both = lines_on_a_terminal(60)
    assert first.startswith("rep 1/3, load 96: 1 s, 10 of 96 over  [")
    assert second.startswith("rep 1/3, load 96: 4 s, 60 of 96 over, 2 failed  [")
    assert len(long) == 59
    assert long.endswith(" s]")
    assert both.startswith("rep-1: iteration 1, 250 tasks/s  [")
