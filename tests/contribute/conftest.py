"""A world to contribute in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contribute.world import NOBODYS, Clone, World


@pytest.fixture(autouse=True)
def _nobodys_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NOBODYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.build()
    return made


@pytest.fixture
def clone(world: World) -> Clone:
    return world.clone("clone")
