"""What was typed is refused where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from perfdb.campaigns.going_on import plan_of_one
from perfdb.campaigns.plan import put_by
from perfdb.cli.asked import asked_for
from perfdb.cli.terminal import Voice
from perfdb.errors import UsageError
from perfdb.families import FAMILIES
from perfdb.runner import Asked
from perfdb.settings import Settings


def asked(settings: Settings, folder: Path, *, fresh: bool = False) -> Asked:
    """For a run that goes on, with files of its own."""
    return asked_for(
        FAMILIES["schedulers"],
        settings,
        Voice(),
        target="clog",
        flags={"arms": "simulated:fifo"},
        spec_file=None,
        pairs=(),
        run_name=None,
        experiment=None,
        machine="laptop",
        timeout_s=None,
        python=None,
        parsl=None,
        output_dir=folder,
        fresh=fresh,
    )


def test_a_folder_with_files_of_another_run_is_refused_and_one_with_those_of_the_run_that_waits_is_not(
    tmp_path: Path,
) -> None:
    settings, folder = Settings(root=tmp_path), tmp_path / "out"
    folder.mkdir()
    plan = plan_of_one(asked(settings, folder), settings)
    (folder / "table.csv").write_text("scheduler\n")
    with pytest.raises(UsageError, match=r"holds table\.csv of another run"):
        asked(settings, folder)
    put_by(plan, settings.state_path)
    assert asked(settings, folder).output_dir == folder
    with pytest.raises(UsageError, match=r"holds table\.csv of another run"):
        asked(settings, folder, fresh=True)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        asked(Settings(root=tmp_path), tmp_path / "out")
