"""Where the state is."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfdb.errors import MiniSlurmError
from perfdb.minislurm.places import Places


def test_it_is_the_home_folder_unless_another_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MINI_SLURM_HOME", raising=False)
    assert Places.here() == Places(tmp_path)

    monkeypatch.setenv("MINI_SLURM_HOME", "~/other")
    assert Places.here() == Places(tmp_path / "other")


def test_the_home_of_a_user_that_there_is_not_is_refused_with_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINI_SLURM_HOME", "~nobody-of-that-name/jobs")

    with pytest.raises(MiniSlurmError, match="export MINI_SLURM_HOME"):
        Places.here()
