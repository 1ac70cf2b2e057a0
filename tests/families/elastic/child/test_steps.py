"""What the store's history of a job means."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from perfdb.families import elastic
from perfdb.minislurm.store.job import Event


@pytest.fixture(scope="module")
def steps() -> ModuleType:
    path = Path(elastic.__path__[0]) / "child" / "mini_slurm" / "steps.py"
    spec = importlib.util.spec_from_file_location("elastic_steps", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def event(kind: str, ns: int, cpus_from: int | None = None, cpus_to: int | None = None) -> Event:
    return Event(1, kind, 0 if cpus_from is None else 1, ns, 0.0, "boot", cpus_from, cpus_to, "")


ALLOCATED = event("allocated", 10, None, 2)


def job(ended_ns: int | None = None, allocated_ns: int | None = 10) -> SimpleNamespace:
    """As much of a job as its steps follow from."""
    return SimpleNamespace(allocated_ns=allocated_ns, ended_ns=ended_ns, cpus=2)


def test_a_grow_is_promised_from_its_decision_on(steps: ModuleType) -> None:
    grow = [event("decided", 20, 2, 4), event("applied", 30, 2, 4)]
    assert list(steps.steps(job(50), [ALLOCATED, *grow])) == [(10, 2), (20, 4), (50, 0)]


def test_a_shrink_is_free_when_it_is_applied(steps: ModuleType) -> None:
    shrink = [event("decided", 20, 2, 1), event("acknowledged", 25, 2, 1), event("applied", 30, 2, 1)]
    assert list(steps.steps(job(50), [ALLOCATED, *shrink])) == [(10, 2), (30, 1), (50, 0)]


def test_a_job_that_did_not_let_go_in_time_is_narrowed_then(steps: ModuleType) -> None:
    late = [event("decided", 20, 2, 1), event("overdue", 40, 2, 1), event("applied", 41, 2, 1)]
    assert list(steps.steps(job(50), [ALLOCATED, *late])) == [(10, 2), (40, 1), (50, 0)]


def test_a_grow_that_was_withdrawn_is_given_back(steps: ModuleType) -> None:
    back = [event("decided", 20, 2, 4), event("withdrawn", 22, 2, 4)]
    assert list(steps.steps(job(), [ALLOCATED, *back])) == [(10, 2), (20, 4), (22, 2)]


def test_what_was_decided_of_a_job_that_was_over_promised_nothing(steps: ModuleType) -> None:
    assert list(steps.steps(job(50), [ALLOCATED, event("decided", 51, 2, 4)])) == [(10, 2), (50, 0)]


def test_a_job_that_never_started_held_nothing(steps: ModuleType) -> None:
    assert list(steps.steps(job(50, allocated_ns=None), [])) == []


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        ({"acknowledged": 5, "applied": 6}, True),
        # It registered only after the scheduler had resized it without a word.
        ({"acknowledged": 6, "applied": 5}, False),
        ({"applied": 5}, False),
        ({"acknowledged": 4, "overdue": 5, "applied": 6}, False),
    ],
)
def test_who_said_that_a_resize_was_applied(steps: ModuleType, chain: dict[str, int], said: bool) -> None:
    events = {kind: event(kind, ns, 2, 1) for kind, ns in chain.items()}
    assert steps.by_job("applied", events) is said
    assert not steps.by_job("written", events)
