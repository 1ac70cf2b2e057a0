"""From what the API server knows of a job and its pods to the instants of its life. Pure.

All instants are whole seconds of the cluster's clocks: a stamp of S is somewhere in [S, S + 1). Where one of them would come
before the one that must have been first, it is that one's instant: it lies in the same second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from perfdb.families.schedulers.child.kubernetes.clock import ns_of

Json = Mapping[str, Any]
_SECOND = 1_000_000_000
_STAMP = re.compile(r"^perfdb (began|ended) (\d{19})\s*$", re.MULTILINE)
_CODE = re.compile(r"^perfdb code (\d{1,3})\s*$", re.MULTILINE)
# As `timeout` says it.
_AT_LIMIT = 124


@dataclass(frozen=True)
class Pod:
    """One pod of a job; instants in nanoseconds since 1970, None for never.

    Attributes:
        node: The name of its node, '' before it has one.
        scheduled, started, ended, released: It was bound; its program began; was over; the node knew.
        reason: Why it failed, '' if it did not.
        images: What its containers run, by digest where the node says it.
    """

    name: str
    node: str
    scheduled: int | None
    started: int | None
    ended: int | None
    released: int | None
    reason: str
    images: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        """Whether its program is."""
        return self.ended is not None or self.released is not None


@dataclass(frozen=True)
class Life:
    """A job's, as `events.JobTold` has it, without what it says itself."""

    submitted: int | None
    allocated: int | None
    started: int | None
    ended: int | None
    released: int | None
    state: str


def read_pod(pod: Json) -> Pod:
    """A pod as the server has it; hostile or half-written ones give what can be read."""
    status = _table(pod, "status")
    conditions = {one.get("type"): one for one in _rows(status, "conditions")}
    containers = _rows(status, "containerStatuses")
    states = [_table(one, "state") for one in containers]
    began = [ns_of((state.get("running") or state.get("terminated") or {}).get("startedAt")) for state in states]
    ended = [ns_of((state.get("terminated") or {}).get("finishedAt")) for state in states]
    terminal = status.get("phase") in ("Succeeded", "Failed")
    return Pod(
        name=str(_table(pod, "metadata").get("name", "")),
        node=str(_table(pod, "spec").get("nodeName") or ""),
        scheduled=_since(conditions.get("PodScheduled"), "True"),
        started=_last(began) if began else None,
        ended=_last(ended) if ended else None,
        released=_since(conditions.get("Ready"), "False") if terminal else None,
        reason=str(status.get("reason") or "") if status.get("phase") == "Failed" else "",
        images=tuple(str(one.get("imageID") or one.get("image") or "") for one in containers),
    )


def verdict(job: Json) -> str:
    """COMPLETED, FAILED or TIMEOUT once a Job is over, else ''."""
    for condition in _rows(_table(job, "status"), "conditions"):
        if condition.get("status") == "True":
            if condition.get("type") == "Complete":
                return "COMPLETED"
            if condition.get("type") == "Failed":
                return "TIMEOUT" if condition.get("reason") == "DeadlineExceeded" else "FAILED"
    return ""


def life(size: int, created: int | None, pods: Sequence[Pod], state: str) -> Life:
    """Of a job of so many nodes.

    It has its nodes when its last pod is bound, has begun when the last one's program has, and is over when the last one's is.

    Args:
        size: Its nodes.
        created: When the server had it.
        pods: Its pods.
        state: Its verdict; '' where it is not over: then what its pods say.
    """
    scheduled = _whole(size, (pod.scheduled for pod in pods))
    started = _whole(size, (pod.started for pod in pods))
    over = bool(state)
    ended = _last([pod.ended for pod in pods if pod.started is not None]) if over and pods else None
    released = (
        _last([pod.released or pod.ended for pod in pods if pod.scheduled is not None]) if over and pods else None
    )
    allocated = _after(scheduled, created)
    began = _after(started, allocated or created)
    finished = _after(ended, began or allocated or created)
    if state == "FAILED" and any(pod.reason == "DeadlineExceeded" for pod in pods):
        state = "TIMEOUT"
    return Life(
        submitted=created,
        allocated=allocated,
        started=began,
        ended=finished,
        released=_after(released, finished or began or allocated or created),
        state=state or ("RUNNING" if began is not None else "PENDING"),
    )


def narrowed(known: Life, said: Mapping[str, int]) -> Life:
    """With what the job wrote down itself: its end is not before its last word, if that was in the same second."""
    last = said.get("ended")
    if last is None or known.ended is None or not known.ended <= last < known.ended + _SECOND:
        return known
    return replace(known, ended=last, released=_after(known.released, last))


def judged(known: Life, logs: Iterable[str]) -> Life:
    """With what a MiniCluster's log says of its end: its Job is complete whatever became of it."""
    codes = {int(code) for log in logs for code in _CODE.findall(log)} - {0}
    if known.state != "COMPLETED" or not codes:
        return known
    return replace(known, state="TIMEOUT" if _AT_LIMIT in codes else "FAILED")


def submitted_ns(created: int | None, sent: int, answered: int, uncertainty: int) -> int | None:
    """When the server had a job: in the second that it says, and between our request and its answer.

    Args:
        created: Its creationTimestamp, in nanoseconds.
        sent, answered: Our request and its answer, in nanoseconds on the server's clock.
        uncertainty: How well that clock is known, in nanoseconds.
    """
    if created is None:
        return None
    low, high = max(created, sent - uncertainty), min(created + _SECOND - 1, answered + uncertainty)
    return (low + high) // 2 if low <= high else created


def stamps(log: str) -> dict[str, int]:
    """What a job wrote down itself: `began` and `ended`, in nanoseconds of its node's clock."""
    return {found[1]: int(found[2]) for found in _STAMP.finditer(log)}


def ranges(numbers: Iterable[int]) -> str:
    """Such as `0-2,5`."""
    told: list[list[int]] = []
    for number in sorted(set(numbers)):
        if told and told[-1][1] == number - 1:
            told[-1][1] = number
        else:
            told.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in told)


def held_by_parts_s(size: int, pods: Sequence[Pod], until: int) -> float:
    """Node-seconds for which pods of a job of that size held nodes while others of it had none, at the latest until then."""
    bound = [pod.scheduled for pod in pods if pod.scheduled is not None]
    whole = _whole(size, bound)
    return sum(max(0, (until if whole is None else whole) - instant) for instant in bound) / _SECOND


def _whole(size: int, instants: Iterable[int | None]) -> int | None:
    known = [instant for instant in instants if instant is not None]
    return max(known) if len(known) >= size > 0 else None


def _last(instants: Sequence[int | None]) -> int | None:
    known = [instant for instant in instants if instant is not None]
    return max(known) if known and len(known) == len(instants) else None


def _after(instant: int | None, first: int | None) -> int | None:
    return instant if instant is None or first is None else max(instant, first)


def _since(condition: Json | None, status: str) -> int | None:
    return ns_of(condition.get("lastTransitionTime")) if condition and condition.get("status") == status else None


def _table(of: Json, key: str) -> Json:
    found = of.get(key)
    return found if isinstance(found, Mapping) else {}


def _rows(of: Json, key: str) -> list[Json]:
    found = of.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
