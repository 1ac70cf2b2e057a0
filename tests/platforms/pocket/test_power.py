"""The program that slurmctld runs for cloud nodes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.platforms.pocket.power import daemons, expand, note


@given(st.sets(st.integers(0, 63), min_size=1))
def test_expand_reads_what_slurm_writes_for_any_nodes(numbers: set[int]) -> None:
    wanted = sorted(numbers)
    assert [f"n{number}" for number in wanted] == expand(folded(wanted))


def folded(numbers: list[int]) -> str:
    """As Slurm names them; test_cloud asks it."""
    if len(numbers) == 1:
        return f"n{numbers[0]}"
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return "n[" + ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts) + "]"


def test_a_note_is_one_line_with_microseconds(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    note(tmp_path, 1_795_262_400_123_456_789, "power_up", "n0")
    note(tmp_path, 1_795_262_402_000_000_000, "booted", "n0")
    first, second = map(json.loads, (tmp_path / "log" / "power.jsonl").read_text().splitlines())
    assert first["event"] == "power_up"
    assert abs(first["at"] - 1_795_262_400.123_457) < 1e-6
    assert second == {"at": 1_795_262_402.0, "event": "booted", "node": "n0"}


@contextlib.contextmanager
def lookalike(folder: Path, **how: Any) -> Iterator[int]:
    """A process with a slurmd's command line, which waits."""
    argv = ["/somewhere/slurmd", "-c", "echo; read line", "-N", "n0", "-f", f"{folder}/slurm.conf"]
    process = subprocess.Popen(argv, executable="/bin/sh", stdin=subprocess.PIPE, stdout=subprocess.PIPE, **how)
    assert process.stdout is not None
    process.stdout.readline()  # it is a shell by now
    try:
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def test_a_nodes_daemon_is_known_by_its_node_and_its_cluster(tmp_path: Path) -> None:
    with lookalike(tmp_path) as pid:
        assert daemons(tmp_path, "n0") == [pid]
        assert daemons(tmp_path, "n1") == []
        assert daemons(tmp_path / "other", "n0") == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process as somebody else")
def test_anothers_process_that_looks_like_a_nodes_daemon_is_none(tmp_path: Path) -> None:
    with lookalike(tmp_path, user=65534, group=65534, extra_groups=[]):
        assert daemons(tmp_path, "n0") == []
