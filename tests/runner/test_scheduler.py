"""What a record tells of the scheduler: in the journal before anything is measured, and with no name of this host in it."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from perfdb.errors import RegistryError
from perfdb.platforms.slurm import SLURM
from perfdb.record import Environment
from perfdb.record.environment import LONGEST_SETTING
from perfdb.redaction import Identity, Redactor
from perfdb.runner.assemble import record_of, request_of
from perfdb.runner.measuring import begin
from perfdb.runner.scheduler import settings_of
from perfdb.settings import Settings
from tests.families.throughput.outputs import setup
from tests.platforms.conftest import StandIns, stand_ins
from tests.platforms.shown_settings import CONFIG, TOLD, changed, partition
from tests.runner.journals import journal_of, log_bytes, request

__all__ = ["stand_ins"]
HERE = Redactor((), Identity(users=("wildflower",), hosts=("meadow7",)))
ON_SLURM = """\
from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.providers import SlurmProvider
config = Config(executors=[HighThroughputExecutor(label="htex", address="127.0.0.1",
                                                  provider=SlurmProvider("large", init_blocks=1))])
"""


@dataclasses.dataclass
class Silent:
    """Nobody who likes to know."""

    tick_s: float | None = None

    def say(self, text: str) -> None: ...
    def progress(self, child: str, text: str) -> None: ...
    def tick(self) -> None: ...


@dataclasses.dataclass(frozen=True)
class Saying:
    """A batch system that says what it is told to; it keeps what it was asked for."""

    told: Mapping[str, str]
    asked: list[Sequence[str | None]] = dataclasses.field(default_factory=list)

    def settings(self, partitions: Sequence[str | None]) -> Mapping[str, str]:
        self.asked.append(partitions)
        return self.told


def said(**told: str) -> dict[str, str] | None:
    return settings_of(Saying(told), setup().config, HERE)  # type: ignore[arg-type]


def test_names_of_this_host_and_its_users_are_masked():
    found = said(a="defer,meadow7,wildflower", b="x=meadow7.fake.invalid", c="sched/backfill")
    assert found == {"a": "defer,<host>,<user>", "b": "x=<host>.fake.invalid", "c": "sched/backfill"}


def test_two_long_values_that_end_differently_stay_unlike_and_fit_a_record():
    texts = ["bf_window=1," * 100 + end for end in "ab"]
    found = [said(SchedulerParameters=text) for text in texts]
    assert found == [{"SchedulerParameters": f"SHA-256 {hashlib.sha256(t.encode()).hexdigest()}"} for t in texts]
    assert said(a="x" * LONGEST_SETTING) == {"a": "x" * LONGEST_SETTING}
    Environment(machine="m", scheduler_settings=found[0])


def test_what_is_not_told_is_not_there():
    assert said() is None


@pytest.mark.parametrize(
    ("params", "asked"),
    [
        ({}, [None]),
        ({"provider.partition": None}, [None]),
        ({"provider.partition": "debug,normal"}, ["debug,normal"]),
        ({"provider.0.partition": "a", "provider.2.partition": None}, ["a", None]),
        ({"executor.partition": "no", "provider.options.partition": "no"}, [None]),
    ],
)
def test_it_is_asked_about_the_partitions_that_the_config_names(params: dict[str, str | None], asked: list[str | None]):
    platform = Saying({})
    settings_of(platform, setup(**params).config, HERE)  # type: ignore[arg-type]
    assert platform.asked == [asked]


def begun(settings: Settings, tmp_path: Path, journal):
    config = tmp_path / "on_slurm.py"
    config.write_text(ON_SLURM)
    asked = request(
        settings, target=str(config), python=Path(sys.executable), spec={"time": 5.0, "reps": 2, "probe": False}
    )
    return begin(asked, settings, journal, Silent(), lambda: None)


def test_it_is_in_the_journal_before_anything_is_measured_and_so_in_a_killed_runs_record(
    settings: Settings, tmp_path: Path, stand_ins: StandIns
):
    stand_ins.add("scontrol", CONFIG, to="show config")
    stand_ins.add("scontrol", partition("small", default=True) + partition("large", nodes=40), to="show partition")
    journal = journal_of(settings, closed=False, described=False)
    begun(settings, tmp_path, journal)
    record, _, _ = record_of(journal)
    found = record.environment.scheduler_settings
    assert found is not None
    assert found.items() >= TOLD.items()
    assert found["partition.TotalNodes"] == "40"
    assert record.status == "interrupted"


def test_a_run_is_not_gone_on_with_on_a_scheduler_that_was_set_differently_meanwhile(
    settings: Settings, tmp_path: Path, stand_ins: StandIns
):
    stand_ins.add("scontrol", CONFIG, to="show config")
    journal = journal_of(settings, closed=False, described=False)
    begun(settings, tmp_path, journal)
    journal.new_log("rep-1").write_bytes(log_bytes())
    begun(settings, tmp_path, journal)

    stand_ins.add("scontrol", changed("SchedulerType", "sched/builtin"), to="show config")
    with pytest.raises(RegistryError, match="the scheduler's settings changed meanwhile"):
        begun(settings, tmp_path, journal)
    assert request_of(journal).scheduler_settings == TOLD

    stand_ins.add("scontrol", "", 1, to="show config")
    assert SLURM.settings([None]) == {}
    begun(settings, tmp_path, journal)
    assert request_of(journal).scheduler_settings == TOLD
