"""From a server's words to instants: by hand, in seconds since 1970."""

from __future__ import annotations

from typing import Any

import pytest

from perfdb.families.schedulers.child.kubernetes.timeline import (
    Pod,
    held_by_parts_s,
    judged,
    life,
    narrowed,
    ranges,
    read_pod,
    stamps,
    submitted_ns,
    verdict,
)

S = 1_000_000_000


def pod(
    scheduled: int | None = None,
    started: int | None = None,
    ended: int | None = None,
    released: int | None = None,
    reason: str = "",
) -> Pod:
    def ns(second: int | None) -> int | None:
        return None if second is None else second * S

    return Pod("p", "n", ns(scheduled), ns(started), ns(ended), ns(released), reason, ())


def stamp(second: int) -> str:
    return f"1970-01-01T00:00:{second:02}Z"


def told(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"nodeName": "n"}, "status": status}


def test_a_job_has_its_nodes_and_begins_with_its_last_pod_and_is_over_with_its_last() -> None:
    found = life(2, 1 * S, [pod(2, 4, 9, 10), pod(3, 5, 8, 11)], "COMPLETED")
    assert (found.submitted, found.allocated, found.started, found.ended, found.released) == (
        1 * S,
        3 * S,
        5 * S,
        9 * S,
        11 * S,
    )
    assert found.state == "COMPLETED"


def test_a_job_of_which_a_pod_waits_has_neither_nodes_nor_begun() -> None:
    found = life(2, 1 * S, [pod(2, 4), pod()], "")
    assert (found.allocated, found.started, found.ended, found.state) == (None, None, None, "PENDING")


def test_a_job_whose_pods_all_run_is_running() -> None:
    assert life(1, 1 * S, [pod(2, 3)], "").state == "RUNNING"


def test_stamps_of_whole_seconds_are_never_before_what_must_have_been_first() -> None:
    found = life(1, 1 * S + 700_000_000, [pod(1, 1, 1, 1)], "COMPLETED")
    assert {found.allocated, found.started, found.ended, found.released} == {1 * S + 700_000_000}


def test_an_end_is_not_before_the_job_s_last_word_of_the_same_second() -> None:
    known = life(1, 1 * S, [pod(2, 3, 8, 8)], "COMPLETED")
    assert narrowed(known, {"ended": 8 * S + 400}).ended == 8 * S + 400
    assert narrowed(known, {"ended": 8 * S + 400}).released == 8 * S + 400
    # A node whose clock is another one says nothing of this second.
    for other in ({}, {"ended": 9 * S + 1}, {"ended": 7 * S}):
        assert narrowed(known, other) == known


def test_a_pod_that_was_ended_at_its_limit_makes_a_timeout_of_the_failure() -> None:
    assert life(1, S, [pod(1, 1, 5, 5, "DeadlineExceeded")], "FAILED").state == "TIMEOUT"
    assert life(1, S, [pod(1, 1, 5, 5)], "FAILED").state == "FAILED"


def test_parts_of_a_gang_hold_nodes_until_its_last_pod_has_one() -> None:
    assert held_by_parts_s(3, [pod(2), pod(5), pod(9)], 100 * S) == 7 + 4
    assert held_by_parts_s(3, [pod(2), pod(5), pod()], 10 * S) == 8 + 5
    assert held_by_parts_s(2, [pod(4), pod(4)], 10 * S) == 0


def test_a_pod_is_read_as_the_server_tells_it() -> None:
    found = read_pod(
        told(
            phase="Succeeded",
            conditions=[
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp(2)},
                {"type": "Ready", "status": "False", "lastTransitionTime": stamp(9)},
            ],
            containerStatuses=[
                {"imageID": "x@sha256:1", "state": {"terminated": {"startedAt": stamp(3), "finishedAt": stamp(8)}}}
            ],
        )
    )
    assert (found.scheduled, found.started, found.ended, found.released) == (2 * S, 3 * S, 8 * S, 9 * S)
    assert found.images == ("x@sha256:1",)


@pytest.mark.parametrize(
    "hostile",
    [
        {},
        {"status": None},
        {"status": {"conditions": {"type": "PodScheduled"}, "containerStatuses": [7, None]}},
        told(containerStatuses=[{"state": {"running": {"startedAt": "yesterday"}}}]),
        told(conditions=[{"type": "PodScheduled", "status": "True", "lastTransitionTime": 12}]),
        told(phase=["Failed"], reason={"x": 1}),
    ],
)
def test_a_pod_that_is_half_written_gives_what_can_be_read(hostile: dict[str, Any]) -> None:
    found = read_pod(hostile)
    assert (found.scheduled, found.started, found.is_over) == (None, None, False)


@pytest.mark.parametrize(
    ("kind", "reason", "expected"),
    [
        ("Complete", "", "COMPLETED"),
        ("Failed", "BackoffLimitExceeded", "FAILED"),
        ("Failed", "DeadlineExceeded", "TIMEOUT"),
        ("FailureTarget", "", ""),
    ],
)
def test_a_job_is_over_when_the_server_says_so(kind: str, reason: str, expected: str) -> None:
    assert verdict({"status": {"conditions": [{"type": kind, "status": "True", "reason": reason}]}}) == expected


def test_a_condition_that_is_not_so_is_no_verdict() -> None:
    assert verdict({"status": {"conditions": [{"type": "Complete", "status": "False"}]}}) == ""


def test_a_submission_is_in_the_server_s_second_and_between_request_and_answer() -> None:
    assert submitted_ns(5 * S, 5 * S + 400, 5 * S + 600, 0) == 5 * S + 500
    assert submitted_ns(5 * S, 5 * S - 1000, 5 * S + 200, 0) == 5 * S + 100
    # The clock was set meanwhile: then only the server's word is left.
    assert submitted_ns(5 * S, 8 * S, 9 * S, 0) == 5 * S
    assert submitted_ns(None, 1, 2, 0) is None


def test_a_log_s_stamps_are_found_among_what_else_is_in_it() -> None:
    log = "perfdb began 1795315395200581981\nperfdb 12\nhello perfdb ended 1\nperfdb ended 1795315395501793726\n"
    assert stamps(log) == {"began": 1795315395200581981, "ended": 1795315395501793726}


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        (["perfdb code 124\n", "perfdb code 0\n"], "TIMEOUT"),
        (["x\nperfdb code 1\n"], "FAILED"),
        (["perfdb code 0\n", "hello perfdb code 7\n"], "COMPLETED"),
        ([], "COMPLETED"),
    ],
)
def test_a_minicluster_whose_job_is_complete_is_what_its_log_says(logs: list[str], expected: str) -> None:
    assert judged(life(1, S, [pod(1, 1, 5, 5)], "COMPLETED"), logs).state == expected


def test_numbers_become_ranges() -> None:
    assert ranges([5, 0, 2, 1, 7, 8]) == "0-2,5,7-8"
    assert ranges([]) == ""
