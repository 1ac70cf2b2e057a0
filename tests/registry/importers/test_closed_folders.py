"""Folders whose names may be listed and nothing else, or not even that."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perfdb.errors import UsageError
from tests.registry.importers.sources import add_run, faults, file_store, parts, write_log
from tests.registry.importers.test_openenv import raw_line, results, summary_row

NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that others may enter too, as pytest's own may not be."""
    folder = Path(tempfile.mkdtemp(prefix="closed-"))
    folder.chmod(0o755)
    yield folder
    for path, _, _ in os.walk(folder):
        Path(path).chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def closed(folder: Path, mode: int) -> Iterator[None]:
    """With a folder's mode changed, as somebody whom it binds: root it does not."""
    folder.chmod(mode)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


def test_logs_that_may_not_be_opened_are_told_one_by_one(place: Path) -> None:
    for iteration in (0, 1):
        write_log(place / "run", f"kueue-batch-0-iter-{iteration}-size-2")
    with closed(place / "run", 0o444):
        told = faults("fluence", place / "run")
    assert told == [f"run/kueue-batch-0-iter-{n}-size-2.log: it cannot be read: Permission denied" for n in (0, 1)]


@pytest.mark.parametrize("mode", [0o444, 0o000])
def test_a_folder_of_logs_that_is_closed_is_told_and_the_others_come_in(place: Path, mode: int) -> None:
    write_log(place / "run" / "a" / "logs", "kueue-batch-0-iter-0-size-2")
    write_log(place / "run" / "b", "kueue-batch-0-iter-0-size-3")
    assert len(list(parts("fluence", place / "run"))) == 2
    with closed(place / "run" / "a", mode):
        found = list(parts("fluence", place / "run"))
        told = faults("fluence", place / "run")
    assert len(found) == 2
    assert told == [f"run/a{'/logs' if mode else ''}: it cannot be read: Permission denied"]


def test_results_that_may_not_be_opened_are_told_file_by_file(place: Path) -> None:
    folder = results(place, [summary_row()], [raw_line(1.0)])
    with closed(folder, 0o444):
        told = faults("openenv", folder)
    assert told == [f"{name}: it cannot be read: Permission denied" for name in ("summary.csv", "raw.jsonl")]


def test_results_that_may_not_be_listed_are_refused(place: Path) -> None:
    folder = results(place, [summary_row()], None)
    with closed(folder, 0o111), pytest.raises(UsageError, match="results/ cannot be read: Permission denied"):
        list(parts("openenv", folder))


@pytest.mark.parametrize("kind", ["params", "metrics", "tags"])
@pytest.mark.parametrize("mode", [0o444, 0o000])
def test_a_run_with_a_closed_folder_is_told_and_not_half_imported(place: Path, kind: str, mode: int) -> None:
    experiment = file_store(place)
    run = add_run(experiment)
    add_run(experiment, "f" * 32)
    with closed(run / kind, mode):
        told = faults("parsl-perf-archive", experiment)
    assert len(told) == 1
    assert f"{kind}" in told[0]
    assert "it cannot be read: Permission denied" in told[0]
