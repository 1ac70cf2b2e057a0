"""How checks are kept apart, and what they make of what they read."""

from __future__ import annotations

import ast
import os
import pty
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from perfdb.cli.app import app
from perfdb.cli.doctor import running
from perfdb.cli.doctor.clock import Reading, told_jump
from perfdb.cli.doctor.disks import file_system_of, look_at_registry
from perfdb.cli.doctor.here import Here
from perfdb.cli.doctor.installing import CHECKOUT
from perfdb.cli.doctor.point import Point
from perfdb.cli.doctor.running import AT_ONCE, Check, examine
from perfdb.cli.doctor.software import against_pins, pins
from perfdb.cli.mini_slurm.app import app as mini_slurm
from perfdb.errors import RegistryError
from perfdb.settings import Settings
from tests.disks import SmallDisk

FINE = Point("fine", "ok", "it is", "a test")
NEVER = threading.Event()


def named_in_the_doctor(program: str) -> set[str]:
    """The words after the program's name in the doctor's texts, `perfdb run autoscale, …` giving `run autoscale`."""
    named = set()
    for file in Path(running.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text())
        prose = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose:
                named |= set(re.findall(rf"(?<![\w/]){program}((?: [a-z][a-z-]*)+)", node.value))
    return {words for words in named if words != " asks for"}  # "all that perfdb asks for"


def fine(here: Here) -> Iterator[Point]:
    yield FINE


def hangs(here: Here) -> Iterator[Point]:
    yield FINE
    NEVER.wait()


def closed(here: Here) -> Iterator[Point]:
    yield FINE
    raise PermissionError(13, "Permission denied", "/somewhere")


def refused(here: Here) -> Iterator[Point]:
    yield FINE
    raise RegistryError("mlruns/x cannot be read. Mend that (chmod u+rx mlruns/x).")


def fails(here: Here) -> Iterator[Point]:
    yield FINE
    raise RuntimeError("a bad\nday")


def here(root: Path, seconds: float = 30) -> Here:
    return Here(Settings(root=root), time.monotonic() + seconds)


def test_checks_that_hang_are_lines_and_hold_up_nobody(tmp_path: Path) -> None:
    stuck = [Check("x", "stuck", "a test", hangs, wanted=number == 0) for number in range(AT_ONCE)]
    found = examine([*stuck, Check("x", "last", "a test", fine)], Settings(root=tmp_path), each_s=1.0)
    assert found[-1] == FINE
    assert found[:-1:2] == [FINE] * AT_ONCE
    assert [point.status for point in found[1:-1:2]] == ["fix"] + ["note"] * (AT_ONCE - 1)
    assert all("hung" in point.found and point.fix for point in found[1:-1:2])


def test_a_check_that_raises_is_a_line_with_what_it_said(tmp_path: Path) -> None:
    first, second = examine([Check("x", "broken", "a test", fails)], Settings(root=tmp_path))
    assert first == FINE
    assert (second.name, second.status) == ("broken", "note")
    assert "RuntimeError: a bad day" in second.found


def test_a_program_that_is_too_slow_is_ended_with_all_that_it_began(tmp_path: Path) -> None:
    fifo = tmp_path / "alive"
    said = here(tmp_path, 1.0).ask(
        ["sh", "-c", f"(exec 9>{fifo}.lock; flock 9; echo > {fifo}; sleep 1000) & sleep 1000"]
    )
    assert said.code is None
    assert "in time" in said.complaint
    if fifo.exists():  # it had come so far: its lock is free again, so it is gone
        assert here(tmp_path).ask(["flock", f"{fifo}.lock", "true"]).well


def test_what_a_program_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    said = here(tmp_path).ask(["sh", "-c", "sleep 60 & echo $!"])
    assert said.well
    assert here(tmp_path).ask(["kill", said.out]).well  # so it was still there


def test_a_program_has_no_terminal_to_ask_on(tmp_path: Path) -> None:
    # A process with a terminal of its own, as a person's is; its exit code is what the program that it asks came to.
    asked, answered = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        os.write(answered, repr(here(tmp_path).ask(["sh", "-c", ": < /dev/tty"]).well).encode())
        os._exit(0)
    os.close(answered)
    assert os.read(asked, 100) == b"False"
    os.waitpid(child, 0)
    os.close(asked)
    os.close(terminal)


def test_pins_are_read_with_their_markers() -> None:
    text = "Foo_Bar==1.2 \\\n    --hash=sha256:00\nmac==3 ; sys_platform == 'darwin' \\\nlin==4 ; python_version >= '3'\n# via x==9\n"
    assert pins(text) == {"foo-bar": "1.2", "lin": "4"}


def test_what_a_new_environment_brings_itself_is_not_held_against_the_pins() -> None:
    base = pins((CHECKOUT / "requirements" / "base.txt").read_text(encoding="utf-8"))
    assert against_pins({**base, "setuptools": "1", "pip": "1"}, "make setup").status == "ok"
    assert against_pins({**base, "ruff": "0.1"}, "make setup").status == "note"


def test_the_deepest_mount_says_the_file_system_and_the_last_of_two() -> None:
    mounts = (
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:4 / /home rw,relatime shared:1 - ext4 x rw\n"
        "3 1 0:5 / /home rw - nfs4 server:/home rw\n"
        "4 1 0:6 / /my\\040disk rw - lustre x rw\n"
    )
    assert file_system_of("/home/somebody", mounts) == "nfs4"
    assert file_system_of("/homes", mounts) == "ext4"
    assert file_system_of("/my disk/x", mounts) == "lustre"


def test_a_full_disk_is_to_be_fixed_and_one_with_little_room_is_a_note(small_disk: Callable[[int], SmallDisk]) -> None:
    for mebibytes, status in ((50, "fix"), (500, "note"), (2000, "ok")):
        disk = small_disk(mebibytes)
        (point,) = look_at_registry(here(disk.path))
        assert point.status == status
        assert "tmpfs" in point.found
    small = small_disk(1)
    small.fill()
    (point,) = look_at_registry(here(small.path))
    assert point.status == "fix"
    assert "free some space" in point.fix
    assert "PERFDB_REGISTRY" in point.fix


def test_a_disk_that_takes_no_more_files_says_so(small_disk: Callable[[int], SmallDisk]) -> None:
    disk = small_disk(500)
    subprocess.run(["mount", "-o", "remount,nr_inodes=20", disk.path], check=True)
    (point,) = look_at_registry(here(disk.path))
    assert point.status == "fix"
    assert "inodes" in point.found
    assert "delete some files" in point.fix


@pytest.mark.parametrize(("program", "app"), [("perfdb", app), ("mini-slurm", mini_slurm)])
def test_every_command_that_a_line_names_is_there(program: str, app: typer.Typer) -> None:
    for words in named_in_the_doctor(program):
        command: Any = get_command(app)
        for word in words.split():
            if not hasattr(command, "get_command"):
                assert any(parameter.param_type_name == "argument" for parameter in command.params), words
                break
            command = command.get_command(typer.Context(command), word)
            assert command is not None, words


@pytest.mark.parametrize(("jump_s", "status"), [(0.0, "ok"), (0.0005, "ok"), (0.5, "note"), (-2.0, "note")])
def test_a_wall_clock_that_is_set_meanwhile_is_seen(jump_s: float, status: str) -> None:
    before, after = Reading(1000.0, 50.0), Reading(1000.3 + jump_s, 50.3)
    assert told_jump(before, after).status == status


def test_a_folder_that_is_closed_is_no_fault_of_perfdbs() -> None:
    fine_one, told = examine([Check("a", "a thing", "a test", closed)], Settings(root=Path("/")))
    assert fine_one == FINE
    assert told.found == "/somewhere may not be looked into"
    assert "have its owner let you" in told.fix


def test_what_perfdb_itself_tells_becomes_a_line_with_its_own_next_step() -> None:
    _, told = examine([Check("a", "a thing", "a test", refused)], Settings(root=Path("/")))
    assert (told.found, told.fix) == ("mlruns/x cannot be read", "Mend that (chmod u+rx mlruns/x).")
