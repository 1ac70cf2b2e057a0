"""What the loop says of itself."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from perfdb.families.scaling.plan import LoadPlan
from tests.families.scaling.loads import child_modules, service

engine, protocols, shapes = child_modules("engine", "protocols", "shapes")


def run(url: str, **fields):
    """A load within this process."""
    plan = LoadPlan(url=url, **fields).model_dump() | {"begin_at": 0.0}
    target = protocols.Target(url)
    address = engine.socket.AF_INET, (target.host, target.port)
    talks = protocols.PROTOCOLS[plan["protocol"]](target, plan["wait_s"])
    seen = []
    load = engine.Engine(
        address,
        talks,
        shapes.of_plan(plan, 0),
        plan["wait_s"],
        plan["timeout_s"],
        time.perf_counter(),
        lambda load, now: seen.append((now, load.begun, len(load.sessions), load.failed)),
    )
    load.run()
    return load, seen


def test_only_a_wait_for_the_kernel_ends_being_busy(monkeypatch):
    with service() as there:
        calm, _ = run(there.url, shape="burst", sessions=2, wait_s=0.5)
        monkeypatch.setattr(engine, "WAITED_S", 1e9)  # as if the kernel always had something for us
        busy, _ = run(there.url, shape="burst", sessions=2, wait_s=0.5)
    assert calm.longest_busy_s < 0.3
    assert busy.longest_busy_s > 0.5


def test_how_things_stand_is_told_about_once_a_second():
    with service(every=2, fault="503") as there:
        load, seen = run(there.url, shape="open", rate=20, wait_s=0.0, steady_s=2.2)
    assert len(seen) == 3
    assert all(later[0] - earlier[0] >= 1.0 for earlier, later in pairwise(seen))
    assert seen[-1][1] >= seen[-1][2] >= seen[-1][3] > 0
    assert (load.begun, len(load.sessions), load.failed) == (44, 44, 22)
    assert [later[1] >= earlier[1] for earlier, later in pairwise(load.cpu)] == [True] * (len(load.cpu) - 1)


def test_users_whose_sessions_fail_do_not_hammer_the_service():
    load, _ = run("http://127.0.0.1:9", shape="closed", sessions=2, steady_s=1.0)
    assert {session.fault.kind for session in load.sessions} == {"refused"}
    assert len(load.sessions) == pytest.approx(2 * 1.0 / shapes.PAUSE_S, abs=3)
