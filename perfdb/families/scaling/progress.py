"""What the clients of a load tell whoever waits for it: how far all of them are, and how it ended. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from perfdb.families.base import Program
from perfdb.families.scaling.plan import LoadPlan
from perfdb.units import counted, significant

_LONGEST = 300
# The next time after a line until another one: a load of an hour needs no line a second.
_FIRST_S, _GROWTH = 1.0, 1.5


def progress(program: Program) -> Callable[[str], str | None]:
    """What hears the lines of a load's child: a line worth telling, else None."""
    return _Heard(LoadPlan.model_validate_json(program.env["PERFDB_LOAD_PLAN"])).hear


class _Heard:
    """What was heard of one load until now."""

    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self._stands: dict[int, tuple[int, int, int]] = {}  # by client: sessions begun, over, and of these failed
        self._outcomes: Counter[str] = Counter()
        self._ended: set[int] = set()
        self._next_s = _FIRST_S

    def hear(self, line: str) -> str | None:
        try:
            answer = json.loads(line)
            told = self._told(answer, answer["kind"])
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError, AttributeError):
            return None
        return told[:_LONGEST] if told else None

    def _told(self, answer: dict[str, Any], kind: str) -> str | None:
        if kind == "progress":
            begun, over, failed = (int(answer[each]) for each in ("begun", "over", "failed"))
            return self._stand(int(answer["client"]), float(answer["at_s"]), (begun, over, failed))
        if kind == "note":
            return str(answer["text"])
        if kind == "counts" and answer["window"] == "steady":
            self._outcomes.update({str(name): int(count) for name, count in answer["outcomes"].items()})
        elif kind == "end":
            self._ended.add(int(answer["client"]))
            if answer["trouble"]:
                return str(answer["trouble"])
            return self._outcome() if len(self._ended) == self._plan.clients else None
        return None

    def _stand(self, client: int, at_s: float, stands: tuple[int, int, int]) -> str | None:
        self._stands[client] = stands
        begun, over, lost = (sum(each) for each in zip(*self._stands.values(), strict=True))
        if at_s < self._next_s or not begun:
            return None
        self._next_s = at_s * _GROWTH
        # How many there will be is known where each session is one of the plan's.
        of = f" of {self._plan.sessions:,}" if self._plan.shape in ("burst", "barrier") else ""
        return f"{at_s:.0f} s, {over:,}{of} over" + (f", {lost:,} failed" if lost else "")

    def _outcome(self) -> str | None:
        every = sum(self._outcomes.values())
        if not every:
            return None
        lost = [f"{count:,} {name}" for name, count in self._outcomes.most_common() if name != "ok" and count]
        share = significant(100 * self._outcomes["ok"] / every)
        return f"{counted(every, 'session')}, {share} % succeeded" + (f" ({', '.join(lost)})" if lost else "")
