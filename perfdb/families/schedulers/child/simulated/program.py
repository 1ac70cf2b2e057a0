"""One arm that is none: the simulator plays the list through. Runs in perfdb's own Python.

What to do is in PERFDB_SCHEDULERS_PLAN. Time is the simulator's own, and counts from 0. See `events.py`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from types import FrameType
from typing import Literal, get_args

from perfdb import __version__
from perfdb.errors import PerfdbError
from perfdb.families.schedulers.arms import Policy, parse
from perfdb.families.schedulers.events import MOST_JOB_ROWS, JobTold, row_of
from perfdb.families.schedulers.outcome import Outcome
from perfdb.families.schedulers.plan import VARIABLE, Plan
from perfdb.families.schedulers.simulator.policies import POLICIES
from perfdb.families.schedulers.simulator.simulate import simulate
from perfdb.families.schedulers.workload.job import WorkJob
from perfdb.families.schedulers.workload.load import jobs_of

# A line of a child's log holds 64 KiB.
_LINE_BYTES = 32 * 1024
_LONGEST_NODE_LIST = 16 * 1024
_MOST_NODE_LISTS = 5 * 1024 * 1024


class Stopped(BaseException):
    """We were told to end."""


class TooMany(Exception):
    """More jobs than a child can tell of."""


class Child:
    """What is told, and how much of it was."""

    def __init__(self) -> None:
        self._given: Counter[str] = Counter()
        self._node_bytes = 0
        self._left_out = 0
        self._now_ns = 0

    def play(self, plan: Plan) -> bool:
        """Every batch, or those until one is not over in time; returns whether that happened to none.

        Raises:
            PerfdbError: the list can't be made, or is another one by now.
            TooMany: there are more jobs than can be told.
        """
        policy = next(name for name in get_args(Policy) if name == parse(plan.arm)[0].name)
        jobs = jobs_of(plan.workload)
        if len(jobs) * plan.batches > MOST_JOB_ROWS:
            raise TooMany(f"a simulated arm tells of at most {MOST_JOB_ROWS:,} jobs, all batches taken together")
        self._begin(plan, len(jobs), policy)
        is_over = True
        for batch in range(1, plan.batches + 1):
            if batch > 1:
                self._tell("batch", batch=batch, ns=self._now_ns)
            is_over = self._batch(plan, batch, policy, jobs)
            if not is_over:
                break
        self._tell("nodes", when="after", states={"idle": plan.nodes})
        if self._left_out:
            text = f"the nodes of {self._left_out:,} jobs are not told: the lists of their ranges are too long"
            self._tell("note", text=text)
        return is_over

    def end(self, outcome: Literal["all", "timeout", "stopped", "failed"], trouble: str | None) -> None:
        """The last line."""
        given = dict(self._given)
        self._tell("end", outcome=outcome, trouble=trouble, left="", ns=self._now_ns, given=given)

    def _begin(self, plan: Plan, jobs: int, policy: Policy) -> None:
        self._tell(
            "begin",
            arm=plan.arm,
            workload=plan.workload.sha256,
            jobs=jobs,
            nodes=plan.nodes,
            fresh=True,
            version=__version__,
            settings={
                "policy": policy,
                "schedule_s": repr(plan.delays.schedule_s),
                "release_s": repr(plan.delays.release_s),
                "cycle_s": repr(plan.delays.cycle_s),
            },
            clock={"name": "simulated", "resolution_s": 1e-9, "offset_s": 0.0, "uncertainty_s": 0.0},
            ns=0,
        )
        self._tell("nodes", when="before", states={"idle": plan.nodes})

    def _batch(self, plan: Plan, batch: int, policy: Policy, jobs: tuple[WorkJob, ...]) -> bool:
        """Tell of all of its jobs as they end. The next one begins when all nodes are given back."""
        zero_ns = last_ns = self._now_ns
        is_over = True

        def rows() -> Iterator[str]:
            nonlocal last_ns, is_over
            for outcome in simulate(jobs, plan.nodes, POLICIES[policy], plan.delays, plan.patience_s):
                told = self._told(outcome, batch, zero_ns)
                until_s = outcome.seen_until_s if outcome.released_s is None else outcome.released_s
                last_ns = max(last_ns, zero_ns + _ns(until_s or 0.0))
                is_over = is_over and not outcome.is_censored
                yield json.dumps(row_of(told), separators=(",", ":"))

        for line, count in _lines(rows()):
            _write(f'{{"kind":"jobs","batch":{batch},"rows":[{line}]}}')
            self._given["job"] += count
        self._now_ns = last_ns
        return is_over

    def _told(self, outcome: Outcome, batch: int, zero_ns: int) -> JobTold:
        def at(seconds: float | None) -> int | None:
            return None if seconds is None else zero_ns + _ns(seconds)

        return JobTold(
            kind="job",
            job=outcome.work.job,
            batch=batch,
            submitted=at(outcome.submitted_s),
            eligible=at(outcome.eligible_s),
            allocated=at(outcome.allocated_s),
            started=at(outcome.started_s),
            ended=at(outcome.ended_s),
            released=at(outcome.released_s),
            state=outcome.state,
            node_list=self._affordable(outcome.nodes),
        )

    def _affordable(self, nodes: str) -> str:
        if len(nodes) > _LONGEST_NODE_LIST or self._node_bytes + len(nodes) > _MOST_NODE_LISTS:
            self._left_out += 1
            return ""
        self._node_bytes += len(nodes)
        return nodes

    def _tell(self, kind: str, **fields: object) -> None:
        if kind != "end":
            self._given[kind] += 1
        _write(json.dumps({"kind": kind, **fields}, separators=(",", ":")))


def _lines(rows: Iterable[str]) -> Iterator[tuple[str, int]]:
    """As many at a time as a line takes, and how many they are."""
    kept: list[str] = []
    size = 0
    for row in chain(rows, (None,)):
        if kept and (row is None or size + len(row) > _LINE_BYTES):
            yield ",".join(kept), len(kept)
            kept, size = [], 0
        if row is not None:
            kept.append(row)
            size += len(row)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Returns the exit code."""
    child = Child()
    outcome: Literal["all", "timeout", "stopped", "failed"] = "failed"
    trouble = None
    try:
        outcome = "all" if child.play(Plan.model_validate_json(os.environ[VARIABLE])) else "timeout"
    except Stopped:
        outcome = "stopped"
    except (PerfdbError, TooMany) as error:
        trouble = str(error)[:2000]
    except Exception as error:  # noqa: BLE001 (told, and what was computed until then as well)
        traceback.print_exc()
        trouble = f"{type(error).__name__}: {error}"[:2000]
    child.end(outcome, trouble)
    return 0 if outcome == "all" else 1


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, _stop)
    sys.exit(main())
