from __future__ import annotations

from pathlib import Path

import pytest

from perfdb.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path)
