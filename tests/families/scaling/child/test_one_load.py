"""A load on client nodes, with two processes in place of Parsl's workers: what each of them is sent is what Parsl would send."""

from __future__ import annotations

import base64
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from perfdb.families.scaling.clients.merge import Load, merge
from perfdb.families.scaling.clients.nodes import ClientNode
from perfdb.families.scaling.plan import LoadPlan
from tests.families.scaling.child.test_nodes import module
from tests.families.scaling.loads import CHILD, answers, child_modules, service

one_load = module("one_load")
(packing,) = child_modules("packed")
(telling,) = child_modules("telling")
WORKER = """
import json, sys
sys.stdin.reconfigure(encoding="utf-8")
namespace = {}
exec(open(sys.argv[1], encoding="utf-8").read(), namespace)
for line in sys.stdin:
    name, arguments = json.loads(line)
    print(json.dumps(namespace[name](*arguments)), flush=True)
"""
# Before a worker runs: its clock goes ahead of ours, and it booted another time.
AHEAD = """
import builtins, io, time
true_time, true_open = time.time, builtins.open
time.time = lambda: true_time() + {ahead_s}
builtins.open = lambda path, *a, **n: io.StringIO("another") if str(path).endswith("boot_id") else true_open(path, *a, **n)
"""


@dataclass
class Nodes:
    """Two nodes, one worker each; tasks go to whichever is free."""

    folder: Path
    ahead_s: float = 0.0
    lost: int = 0
    ended: int = 0
    nodes: int = 2
    pools: int = 2
    names: set[str] = field(default_factory=set)
    loses: str = ""

    def __post_init__(self) -> None:
        self._tasks: queue.Queue[Any] = queue.Queue()
        self.workers = [self._worker(name) for name in ("one", "two")]
        for worker in self.workers:
            threading.Thread(target=self._serve, args=(worker,), daemon=True).start()

    def _worker(self, name: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PARSL_WORKER_POOL_ID": name, "SLURMD_NODENAME": name}
        if name == "two" and self.ahead_s:
            (self.folder / "sitecustomize.py").write_text(AHEAD.format(ahead_s=self.ahead_s))
            environment["PYTHONPATH"] = str(self.folder)
        argv = [sys.executable, "-c", WORKER, str(CHILD / "on_node.py")]
        return subprocess.Popen(argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _serve(self, worker: subprocess.Popen[str]) -> None:
        assert worker.stdin is not None
        assert worker.stdout is not None
        while (task := self._tasks.get()) is not None:
            future, name, arguments = task
            if name == self.loses:
                self.loses = ""
                self.ended += 1
                return  # and the future is never heard of
            worker.stdin.write(json.dumps([name, arguments]) + "\n")
            worker.stdin.flush()
            future.set_result(json.loads(worker.stdout.readline()))

    def submit(self, name: str, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        arguments = (*arguments[:2], "key", *arguments[2:]) if name == "share" else ("key", *arguments)
        self._tasks.put((future, name, arguments))
        return future


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Any]:
    every: list[Nodes] = []

    def nodes(**options: Any) -> Nodes:
        every.append(Nodes(tmp_path, **options))
        return every[-1]

    yield nodes
    for one in every:
        for worker in one.workers:
            worker.communicate()


@dataclass
class Caller:
    """Hears what is told, in order."""

    lines: list[str] = field(default_factory=list)
    gone: bool = False

    def tell(self, kind: str, **fields: Any) -> None:
        self.pass_on(json.dumps({**fields, "kind": kind}) + "\n")

    def pass_on(self, text: str) -> None:
        self.lines += text.splitlines()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [told for line in self.lines if (told := json.loads(line))["kind"] == kind]

    @property
    def load(self) -> Load:
        known = [line for line in self.lines if json.loads(line)["kind"] not in ("note", "client_node")]
        return merge(answers("\n".join(known)))


def boot() -> str:
    return str(telling.pseudonym("key", Path("/proc/sys/kernel/random/boot_id").read_text().strip()))


def loaded(nodes: Nodes, **fields: Any) -> tuple[Caller, str | None]:
    asked = {"shape": "barrier", "ramp_s": 0.2, "sessions": 20, "wait_s": 0.3, "clients": 3, **fields}
    plan = LoadPlan(url=service().url, **asked).model_dump()
    caller = Caller()
    facts = "def facts(key): return {'cpu_count': 2}"
    return caller, one_load.one_load(nodes, plan, boot(), nodes.submit, packing.packed(), facts, caller)


def test_the_nodes_share_a_load_and_are_one_at_its_barrier_however_their_clocks_differ(made: Any) -> None:
    caller, stuck = loaded(made(ahead_s=2.5))
    load = caller.load
    assert (stuck, load.complete, load.all, load.steps.peak) == (None, True, {"ok": 20}, 20)
    assert max(begin.late_s for begin in load.begins.values()) == 0
    # Told before it begins for whoever watches the service; and by our clock, whatever that of the client is.
    (note,) = caller.of("note")
    assert json.loads(caller.lines[0]) == note
    for begin in load.begins.values():
        assert begin.begin_at == pytest.approx(note["begin_at"], abs=1e-6)
    nodes = {told["client"]: ClientNode.model_validate(told) for told in caller.of("client_node")}
    assert [(first, nodes[first].clients) for first in sorted(nodes)] == [(0, 2), (2, 1)]
    ahead = sorted((node.ahead_s, node.within_s) for node in nodes.values())
    assert ahead[0] == (0.0, 0.0)
    assert abs(ahead[1][0] - 2.5) <= ahead[1][1] < 0.5
    assert len({node.node for node in nodes.values()}) == len({node.boot for node in nodes.values()}) == 2


def test_a_node_that_is_lost_is_told_by_its_clients_and_there_is_no_further_load(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_load, "START_S", 0.3)
    caller, stuck = loaded(made(loses="share"), clients=4)
    load = caller.load
    assert not load.complete
    assert stuck == "a client node did not come back from the load before"
    (lost,) = [end for end in load.ends.values() if end.outcome != "all"]
    assert "its node was lost in the middle" in (lost.trouble or "")
    assert len(load.silent) == 1
    assert sum(load.all.values()) == 10


def test_a_load_does_not_begin_without_all_nodes(made: Any) -> None:
    with pytest.raises(one_load.Unfit, match="1 of 2 client nodes are lost"):
        loaded(made(lost=1))


def test_a_client_that_cannot_run_says_why_without_naming_its_host(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = base64.b64encode(b"PK\5\6" + bytes(18)).decode()  # an archive without the program
    monkeypatch.setattr(packing, "packed", lambda: empty)
    caller, _ = loaded(made(), clients=2)
    troubles = [end["trouble"] for end in caller.of("end")]
    assert len(troubles) == 2
    assert all("nothing was said by its program, which ended with 2" in trouble for trouble in troubles)
