"""Where jobs' time went."""

from __future__ import annotations

import pytest

from perfdb.families.schedulers.measures.decomposition import PARTS, decomposition, parts_s
from tests.families.schedulers.done import job

HELD = job(1, 0, 4, 14, nodes=3, allocated=2, released=19)


def test_a_jobs_parts_follow_one_another_from_submission_to_release() -> None:
    assert parts_s(HELD) == (2, 2, 10, 5)
    assert sum(parts_s(HELD) or ()) == 19


def test_node_seconds_weigh_a_job_by_its_nodes_and_means_do_not() -> None:
    found = decomposition((HELD, job(2, 0, 6, 26)))
    assert tuple(found) == PARTS
    # Queue 2 s of 3 nodes and 6 s of 1; run 10 s of 3 and 20 s of 1.
    assert found["queue"] == (4, 12)
    assert found["run"] == (15, 50)
    assert found["startup"] == (1, 6)
    assert found["release"] == (pytest.approx(2.5), 15)


def test_nothing_is_said_where_a_part_of_one_job_is_not_known() -> None:
    assert decomposition((HELD, job(2, 0, watched=90))) == {}
    assert decomposition(()) == {}
