"""Disks that are full or read-only: real ones, mounted for the test."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


class SmallDisk:
    """A file system of a few megabytes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Leave not one block."""
        with (self.path / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
            for block in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * block):
                        pass

    def free(self, count: int) -> None:
        """Give `count` bytes back."""
        filler = self.path / "filler"
        os.truncate(filler, filler.stat().st_size - count)

    def make_read_only(self) -> None:
        subprocess.run(["mount", "-o", "remount,ro", self.path], check=True)

    def files(self) -> list[str]:
        """All that is on it but the filler, folders included."""
        return sorted(str(p.relative_to(self.path)) for p in self.path.rglob("*") if p.name != "filler")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], SmallDisk]]:
    """Mounts a disk of so many mebibytes; needs root, as CI has."""
    mounted: list[Path] = []

    def mount(mebibytes: int) -> SmallDisk:
        path = tmp_path / f"disk-{len(mounted)}"
        path.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "perfdb-test", path], check=False)
        if done.returncode != 0:
            pytest.skip("mounting a disk needs root")
        mounted.append(path)
        return SmallDisk(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "--lazy", path], check=True)
