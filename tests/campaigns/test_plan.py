"""Plans of sittings: the same question has the same key, and what waits is found again."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from perfdb.campaigns.plan import Arm, Plan, forget, forget_unreadable, measured_elsewhere, plan_for, put_by, waiting
from perfdb.families import FAMILIES
from perfdb.registry import Journal
from perfdb.runner import Asked
from perfdb.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path)


def arm(label: str = "a", **changes: object) -> Arm:
    asked = Asked(
        family=FAMILIES["throughput"],
        target="/nowhere/local_fake.py",
        spec={"time": 1.4, "reps": 2},
        run_name=label,
        experiment=None,
        machine="laptop-7f3a",
        timeout_s=None,
        python=Path(sys.executable),
        parsl=None,
    )
    return Arm(label, replace(asked, **changes))


def test_the_same_arms_have_one_key_and_other_ones_another(settings):
    key = plan_for([arm(), arm("b")], settings).key
    assert key == plan_for([arm(), arm("b")], settings).key
    others = [
        [arm("b"), arm()],
        [arm()],
        [arm(spec={"time": 1.4, "reps": 3}), arm("b")],
        [arm(overrides={"executor.max_threads": 2}), arm("b")],
        [arm(release="2025.8.4"), arm("b")],
        [arm(parsl="commit " + "a" * 40), arm("b")],
        [arm(target="/nowhere/other.py"), arm("b")],
    ]
    assert key not in {plan_for(arms, settings).key for arms in others}


def test_a_plan_waits_until_it_is_forgotten(settings):
    plan = plan_for([arm()], settings)
    put_by(plan, settings.state_path)
    assert waiting(settings.state_path) == [plan]
    forget(plan, settings.state_path)
    forget(plan, settings.state_path)
    assert waiting(settings.state_path) == []


def test_a_plan_that_cannot_be_read_is_left_to_whoever_can(settings):
    plan = plan_for([arm()], settings)
    put_by(plan, settings.state_path)
    folder = settings.state_path / "sittings"
    (folder / "newer.json").write_text(plan.model_dump_json().replace('"uuid"', '"uid"'))
    (folder / "zoneless.json").write_text(plan.model_dump_json().replace('Z"', '"').replace("+00:00", ""))
    (folder / "cut.json").write_text(plan.model_dump_json()[:40])
    assert waiting(settings.state_path) == [plan]
    assert {path.name for path in folder.iterdir()} == {"cut.json", f"{plan.key}.json", "newer.json", "zoneless.json"}
    assert forget_unreadable(settings.state_path) == 3
    assert waiting(settings.state_path) == [plan]


def journal_of(plan: Plan, settings: Settings) -> Journal:
    seat = plan.seats[0]
    return Journal.create(settings.state_path, seat.request.model_dump(mode="json"), run=seat.run)


def test_a_plan_whose_journal_a_living_process_owns_is_being_measured(settings):
    plan = plan_for([arm()], settings)
    assert measured_elsewhere(plan, settings.state_path) is None
    journal = journal_of(plan, settings)
    assert measured_elsewhere(plan, settings.state_path) == "here"
    owner = (journal.path / "owner").read_text()
    (journal.path / "owner").write_text(owner.replace('"pid": ', '"pid": 9999999'))
    assert measured_elsewhere(plan, settings.state_path) is None
