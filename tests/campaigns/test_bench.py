"""What a bisection concludes from sittings that are in the registry already: real records, real comparisons, no new runs."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from perfdb.campaigns.bench import Bench
from perfdb.campaigns.bisect import Change, Ends
from perfdb.campaigns.memory import Memory
from perfdb.errors import UsageError
from perfdb.record import Code, Metric, Record, Retraction, Sitting, new_uuid
from perfdb.registry import Registry
from perfdb.registry.remarks import save_remark
from perfdb.settings import Settings
from tests.tracking.records import STARTED, make_record

ROW = ("2024.1.1", "2024.2.5", "2024.3.4")
RATES = {"2024.1.1": 1000.0, "2024.2.5": 1000.0, "2024.3.4": 700.0}


class Told:
    tick_s = None

    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


class Done:
    """A seat whose record is kept."""

    def __init__(self, record: Record, folder: Path):
        self.outcome = type("Outcome", (), {"record": record, "folder": folder})


class World:
    def __init__(self, root: Path):
        self.settings = Settings(root=root)
        self.registry = Registry(self.settings.registry_path)
        self.random = random.Random(1)
        self.memory = self.remembered()

    def remembered(self) -> Memory:
        return Memory(self.settings.state_path / "bisect" / "k.json", self.settings.registry_path)

    def sat(self, names, rates=RATES, noise=0.005, reps=5, **changes) -> None:
        """A sitting of these, in turns."""
        uuid, places = new_uuid(), {}
        count = len(names)
        for seat, name in enumerate(names):
            back = [count - 1 - seat if number % 2 else seat for number in range(reps)]
            values = tuple(rates[name] * self.random.lognormvariate(0, noise) for _ in range(reps))
            own = changes.get(name, {})
            record = make_record(
                started_at=STARTED,
                code=Code(perfdb_version="0.1.0", measured={"parsl": name}),
                sitting=Sitting(uuid=uuid, turns=tuple(1 + n * count + place for n, place in enumerate(back))),
                metrics=(
                    Metric(name="warm_tasks_per_s", unit="tasks/s", direction="higher", values=values),
                    Metric(name="cold_start_s", unit="s", direction="lower", value=1.0),
                )
                if own.get("status", "ok") in ("ok", "invalid")
                else (),
                **own,
            )
            places[name] = Done(record, self.registry.save(record, {}))
        self.memory.add(uuid, places)

    def bench(self, metric="warm_tasks_per_s") -> Bench:
        def arm_of(name: str):
            raise AssertionError(f"{name} was measured again")

        return Bench(ROW, arm_of, metric, self.settings, Told(), self.memory)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_ends_differ_or_are_alike_by_the_verdict(world):
    world.sat([ROW[0], ROW[2]])
    world.sat([ROW[0], ROW[1]], noise=0.001)
    assert world.bench().ends(0, 2) == Ends("differ")
    assert world.bench().ends(0, 1) == Ends("alike")


@pytest.mark.parametrize(("rate", "side"), [(1000.0, "first"), (700.0, "last"), (850.0, "neither")])
def test_a_candidate_is_like_the_end_that_it_does_not_differ_from(world, rate, side):
    world.sat(ROW, {**RATES, ROW[1]: rate})
    bench = world.bench()
    assert bench.look(1, 0, 2) == side
    (step,) = bench.steps
    assert (step.names, step.candidate, step.answer) == (ROW, ROW[1], side)
    assert len(step.comparisons) == 3
    assert all(len(ids) == 1 for ids in step.records.values())


def test_a_candidate_outside_of_the_ends_is_asked_as_well(world):
    world.sat(ROW)
    assert world.bench().look(2, 0, 1) in ("last", "neither", "undecided")


def test_what_failed_is_broken_and_its_reason_is_kept(world):
    world.sat(ROW, **{ROW[1]: {"status": "failed", "reason": "it does not install"}})
    bench = world.bench()
    assert bench.look(1, 0, 2) == "broken"
    assert bench.why_broken == {1: "it does not install"}


def test_an_end_that_failed_is_named(world):
    world.sat([ROW[0], ROW[2]], **{ROW[2]: {"status": "failed", "reason": "it does not run"}})
    assert world.bench().ends(0, 2) == Ends("undecided", frozenset([2]))


def test_a_single_invalid_run_is_bad_luck_and_two_are_broken(world):
    invalid = {ROW[1]: {"status": "invalid", "reason": "too short"}}
    world.sat(ROW, **invalid)
    with pytest.raises(AssertionError, match="measured again"):
        world.bench().look(1, 0, 2)
    world.sat(ROW)
    assert world.bench().look(1, 0, 2) == "first"
    other = World(world.settings.root / "other")
    other.sat(ROW, **invalid)
    other.sat(ROW, **invalid)
    assert other.bench().look(1, 0, 2) == "broken"


def test_a_small_rest_beside_a_large_change_is_near_enough(world):
    world.sat(ROW, {**RATES, ROW[2]: 300.0}, noise=0.08)
    bench = world.bench()
    assert bench.look(1, 0, 2) == "first"
    assert "undecided" in {m.verdict for c in bench.steps[0].comparisons for case in c.cases for m in case.metrics}


def test_a_change_is_sized_over_all_sittings_that_its_sides_shared(world):
    world.sat([ROW[0], ROW[2]])
    world.sat(ROW)
    bench = world.bench()
    found = bench.metric_of(bench.comparison(Change(0, 2)))
    assert found is not None
    assert (found.baseline.n, found.other.n) == (10, 10)
    assert found.verdict == "worse"


def test_a_metric_that_a_run_has_only_once_is_refused_with_those_that_would_do(world):
    world.sat(ROW)
    with pytest.raises(UsageError, match="They have warm_tasks_per_s"):
        world.bench("cold_start_s")._check_metric(world.memory.sittings[0])


def test_what_was_measured_is_known_again_but_for_what_was_withdrawn_or_removed(world):
    world.sat([ROW[0], ROW[2]])
    world.sat(ROW)
    assert [set(s.records) for s in world.remembered().sittings] == [{ROW[0], ROW[2]}, set(ROW)]
    record = world.memory.sittings[0].records[ROW[0]]
    save_remark(
        world.registry.root, Retraction(uuid=new_uuid(), at=STARTED, record_id=record.record_id, reason="wrong machine")
    )
    assert [set(s.records) for s in world.remembered().sittings] == [set(ROW)]
    folder = world.registry.folder_of(world.memory.sittings[1].records[ROW[1]])
    (folder / "record.json").unlink()
    assert world.remembered().sittings == []


def test_a_memory_that_points_out_of_the_registry_is_none(world):
    outside = Registry(world.settings.root / "outside").save(make_record(), {})
    world.memory.path.parent.mkdir(parents=True)
    folder = f"../{outside.relative_to(world.settings.root)}"
    world.memory.path.write_text(json.dumps({"sittings": [{"uuid": "x", "folders": {"a": folder}}]}))
    assert (world.registry.root / folder / "record.json").resolve().is_file()
    assert world.remembered().sittings == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sittings": [{"uuid": "x", "folders": {"a": "nowhere"}}]}'])
def test_a_broken_memory_is_none(world, text):
    world.memory.path.parent.mkdir(parents=True)
    world.memory.path.write_text(text)
    assert world.remembered().sittings == []
