"""A workload's file that is edited while it is measured with: real children, of the simulator, which takes no time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet
import pytest

from perfdb.campaigns.going_on import plan_of_one, run_or_go_on
from perfdb.campaigns.plan import waiting
from perfdb.errors import UsageError
from perfdb.families import FAMILIES
from perfdb.processes.identity import ProcessIdentity
from perfdb.registry import Journal, Registry
from perfdb.registry.journal import all_journals
from perfdb.runner import Asked, Outcome
from perfdb.runner.request import RunRequest
from perfdb.settings import Settings

TEXT = "[[jobs]]\ncount = 3\nnodes = 2\nrun_s = 4\n"


class Observer:
    """Does something when the first turn has told what became of its jobs."""

    tick_s = None

    def __init__(self, then: Callable[[], object]) -> None:
        self._then = then

    def say(self, text: str) -> None: ...

    def progress(self, child: str, text: str) -> None:
        if child == "iter 1/2, simulated:fifo":
            self._then()

    def tick(self) -> None: ...


class Mirror:
    """Stands in for MLflow, which has tests of its own."""

    def prepare(self, request: RunRequest, journal: Journal) -> None: ...

    def open(self) -> None: ...

    def show(self, folder: Path, journal: Journal) -> None:
        journal.remove()

    def close(self) -> None: ...


def run(target: Path, settings: Settings, then: Callable[[], object]) -> Outcome:
    """As the same command would, each time."""
    family = FAMILIES["schedulers"]
    spec = family.spec(arms="simulated:fifo,simulated:easy", iters=2)
    asked = Asked(
        family, str(target), spec.model_dump(mode="json"), None, None, "laptop", None, Path(sys.executable), None
    )
    plan = plan_of_one(asked, settings)
    plan = next((other for other in waiting(settings.state_path) if other.key == plan.key), plan)
    return run_or_go_on(plan, settings, Observer(then), Mirror(), to_go_on="")  # type: ignore[arg-type] # as much as it needs


def test_it_stops_the_run_which_goes_on_once_it_is_put_back(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    path = tmp_path / "own.toml"
    path.write_text(TEXT)
    with pytest.raises(UsageError, match="was changed while it is measured with") as stopped:
        run(path, settings, lambda: path.write_text(TEXT.replace("4", "5")))
    assert stopped.value.exit_code == 2
    assert list(Registry(settings.registry_path).folders()) == []
    (plan,), (journal,) = waiting(settings.state_path), all_journals(settings.state_path)
    assert plan.seats[0].run == journal.run and len(journal.log_paths()) == 2  # the list's, and one turn's

    journal.write("owner", {**asdict(ProcessIdentity.mine()), "started": 0.0})  # as if that process had ended since
    path.write_text(TEXT)
    outcome = run(path, settings, lambda: pytest.fail("a turn was measured again"))
    assert outcome.record.status == "ok"
    rows = pyarrow.parquet.read_table(outcome.folder / "samples.parquet").to_pylist()
    told = sorted((row["iteration"], row["arm"], row["job"]) for row in rows if row["job"] > 0)
    assert told == [(iteration, arm, job) for iteration in (1, 2) for arm in (1, 2) for job in (1, 2, 3)]
    assert str(tmp_path) not in (outcome.folder / "record.json").read_text()
    assert waiting(settings.state_path) == []
