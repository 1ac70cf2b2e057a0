"""A home for each test of mini-slurm's commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.mini_slurm.homes import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Empty, with no scheduler."""
    found = Home(tmp_path)
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def served(home: Home) -> Home:
    """A scheduler serves it."""
    home.start()
    return home
