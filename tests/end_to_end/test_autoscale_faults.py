"""What goes wrong on a real Slurm while `perfdb run autoscale` runs: each ends in time, in a record that says what happened.

And no job is left in the queue, at the latest once Slurm answers again and `perfdb sync` has run. Each takes from a
quarter of a minute to three, so the longer ones are a drill.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from typing import Any

import pytest

from perfdb.platforms.pocket import Options, down
from tests.end_to_end.conftest import Home
from tests.end_to_end.pocket_faults import (
    Cluster,
    autoscale,
    censored,
    config,
    hung,
    kept_jobs,
    killed,
    pocket,
    until,
)

TWO_NODES = Options(nodes=2)
# Starting perfdb and its children takes this long on a busy machine; what a run may wait for comes on top.
OVERHEAD_S = 90.0
# Slurm's commands get 20 s each to answer, and at a run's end there are a handful of them.
DEAF_S = 120.0
FAILED, INVALID = 3, 4


def only_record(home: Home) -> dict[str, Any]:
    (record,) = home.records()
    return record


def nothing_left(home: Home, cluster: Cluster) -> None:
    """No job once what had to complete has; then no process of the run either, on the nodes or here."""
    until(lambda: cluster.queue() == "", f"jobs are left: {cluster.queue()}")
    until(lambda: home.processes() == [], f"processes are left: {home.processes()}")
    assert list((home.root / ".perfdb").glob("left/*")) == []
    assert home.journals() == []


def seen_to_by_the_next_sync(home: Home, cluster: Cluster) -> None:
    """What could not be cancelled at the end is noted, and cancelled once Slurm answers again."""
    assert len(list((home.root / ".perfdb").glob("left/*.json"))) == 1
    done = home.perfdb("sync")
    assert done.returncode == 0, done.stderr
    nothing_left(home, cluster)


def test_a_job_that_sbatch_refuses_ends_the_run_with_its_words(home: Home) -> None:
    with pocket("refused", TWO_NODES) as cluster:
        code, said = autoscale(home, config(home, cluster, partition="nowhere")).end(OVERHEAD_S)
        nothing_left(home, cluster)
    record = only_record(home)
    assert (code, record["status"]) == (FAILED, "failed"), said
    assert "0 of 2 nodes reported" in record["reason"]
    assert "invalid partition specified: nowhere" in record["reason"]


def test_a_partition_that_is_down_ends_the_run_at_its_timeout_and_is_named_as_slurm_does(home: Home) -> None:
    with pocket("down", TWO_NODES) as cluster:
        cluster.slurm("scontrol", "update", "PartitionName=pocket", "State=DOWN")
        code, said = autoscale(home, config(home, cluster), acquire_timeout_s=5).end(5 + OVERHEAD_S)
        nothing_left(home, cluster)
    record = only_record(home)
    assert (code, record["status"]) == (FAILED, "failed"), said
    assert "its job is CANCELLED (PartitionDown)" in record["reason"]
    assert {job["why"] for job in kept_jobs(home)} == {"PartitionDown"}


def a_job_longer_than_the_partition_allows(home: Home) -> None:
    with pocket("longer", TWO_NODES) as cluster:
        cluster.slurm("scontrol", "update", "PartitionName=pocket", "MaxTime=2")
        code, said = autoscale(home, config(home, cluster)).end(OVERHEAD_S)
        nothing_left(home, cluster)
    record = only_record(home)
    assert (code, record["status"]) == (FAILED, "failed"), said
    assert "Requested time limit is invalid" in record["reason"]


def an_account_that_is_none(home: Home) -> None:
    with pocket("account", Options(nodes=2, accounting=True)) as cluster:
        code, said = autoscale(home, config(home, cluster, account="nobodys")).end(OVERHEAD_S)
        nothing_left(home, cluster)
    record = only_record(home)
    assert (code, record["status"]) == (FAILED, "failed"), said
    assert "Invalid account" in record["reason"]


def a_partition_that_goes_down_in_a_round(home: Home) -> None:
    with pocket("later", TWO_NODES) as cluster:
        run = autoscale(home, config(home, cluster))
        # Jobs that run go on; the round's are still to come.
        run.wait_for("nodes: Parsl scales in")
        cluster.slurm("scontrol", "update", "PartitionName=pocket", "State=DOWN")
        code, said = run.end(20 + OVERHEAD_S)
        nothing_left(home, cluster)
    record = only_record(home)
    assert (code, record["status"]) == (FAILED, "failed"), said
    assert "no node was acquired. cold-1" in record["reason"]
    assert "PartitionDown" in record["reason"]
    assert {"job_pending", "watched_until"} <= censored(home)
    assert "job_allocated" not in censored(home)


def a_node_that_never_boots(home: Home) -> None:
    with pocket("boots", Options(nodes=2, cloud=True)) as cluster:
        run = autoscale(home, config(home, cluster))
        run.wait_for("cold-1 begins")
        cluster.break_node("n1")
        code, said = run.end(100 + OVERHEAD_S)
        nothing_left(home, cluster)
    record = only_record(home)
    assert (code, record["status"]) == (INVALID, "invalid"), said
    assert "1 of 2 nodes ran a task within 20 s" in record["reason"]
    assert "block 1 came as far as power_up_asked" in record["reason"]
    assert {"power_up_asked", "watched_until"} <= censored(home)
    assert "node_booted" not in censored(home)


def walltime_in_the_middle(home: Home) -> None:
    with pocket("walltime", TWO_NODES) as cluster:
        target = config(home, cluster, walltime="00:01:00")  # Slurm sees to it within 15 s or so
        code, said = autoscale(home, target, task_s=90, tasks=2, acquire_timeout_s=95).end(95 + OVERHEAD_S)
        nothing_left(home, cluster)
    record = only_record(home)
    assert (code, record["status"]) == (FAILED, "failed"), said
    assert "its job is TIMEOUT (TimeLimit), its walltime was over" in record["reason"]
    assert {"manager_registered", "job_ended", "watched_until"} <= censored(home)


def a_node_that_crashes(home: Home) -> None:
    with pocket("crash", TWO_NODES) as cluster:
        # A worker that is gone is missed, and its task fails, after two minutes at the latest.
        run = autoscale(home, config(home, cluster), task_s=8, acquire_timeout_s=60)
        run.wait_for("cold-1: Parsl asks")
        until(lambda: cluster.queue().count("RUNNING") == 2, "the round's jobs don't start")
        cluster.crash_node("n0")
        code, said = run.end(60 + OVERHEAD_S)
        nothing_left(home, cluster)
    record = only_record(home)
    assert (code, record["status"]) == (INVALID, "invalid"), said
    assert "nodes_as_claimed: cold-1: tasks ran on 1 distinct nodes, 2 are claimed" in record["reason"]
    # Slurm gave the node up after 30 s, and put its job back into the queue.
    told = r"block \d came as far as \w+, its job is CANCELLED \(BeginTime; requeued 1 time\)"
    assert re.search(told, record["reason"]), record["reason"]
    assert "watched_until" in censored(home)


def a_node_s_daemon_that_dies_while_its_tasks_run(home: Home) -> None:
    """They run on; it is their end that Slurm can't bring about until it gives the node up."""
    with pocket("slurmd", TWO_NODES) as cluster:
        run = autoscale(home, config(home, cluster), task_s=3)
        run.wait_for("cold-1: 1 of 2")
        cluster.daemon("slurmd-n0").kill()
        _, said = run.end(20 + OVERHEAD_S)
        until(lambda: cluster.queue() == "", f"jobs are left: {cluster.queue()}")
    record = only_record(home)
    assert {m["name"]: m.get("values") for m in record["metrics"]}["acquired_nodes"] == [2], said
    assert [job["state"] for job in kept_jobs(home) if "ended" not in job] == ["COMPLETING"]
    (finding,) = [found for found in record["findings"] if found["name"] == "nodes_not_given_back"]
    assert "was still COMPLETING" in finding["evidence"]


def munge_killed_in_a_round(home: Home) -> None:
    with pocket("munge", TWO_NODES) as cluster:
        deaf_in_a_round(home, cluster, "munged")


def the_controller_killed_in_a_round(home: Home) -> None:
    with pocket("ctld", TWO_NODES) as cluster:
        deaf_in_a_round(home, cluster, "slurmctld")


def deaf_in_a_round(home: Home, cluster: Cluster, daemon: str) -> None:
    run = autoscale(home, config(home, cluster), task_s=3, release_timeout_s=10)
    run.wait_for("cold-1: 1 of 2")
    with killed(cluster, daemon):
        code, said = run.end(10 + DEAF_S + OVERHEAD_S)
    deaf_record(home, code, said)
    seen_to_by_the_next_sync(home, cluster)


def deaf_record(home: Home, code: int, said: str) -> None:
    record = only_record(home)
    assert (code, record["status"]) == (INVALID, "invalid"), said
    assert "2 blocks were not scaled in within 10 s" in record["reason"]
    assert "the batch system told nothing of the jobs of blocks 0, 1" in record["reason"]
    assert "these cluster jobs could not be cancelled now, `perfdb sync` tries again" in said
    assert len([job for job in kept_jobs(home) if "state" not in job]) == 2


def the_controller_hung_in_a_round(home: Home) -> None:
    with pocket("hung", TWO_NODES) as cluster:
        run = autoscale(home, config(home, cluster), task_s=3, release_timeout_s=10)
        run.wait_for("cold-1: 1 of 2")
        with hung(cluster, "slurmctld"):
            code, said = run.end(10 + DEAF_S + OVERHEAD_S)
        deaf_record(home, code, said)
        seen_to_by_the_next_sync(home, cluster)


def the_controller_stopped_before_a_round_s_jobs(home: Home) -> None:
    """sbatch gives up after some seconds: no block is submitted, and Parsl gives its executor up.

    Stopped in good order, for one that is killed may forget that the jobs before were over, and see that only minutes later.
    """
    with pocket("before", TWO_NODES) as cluster:
        run = autoscale(home, config(home, cluster), acquire_timeout_s=300, release_timeout_s=300)
        run.wait_for("nodes: Parsl scales in")
        until(lambda: cluster.queue() == "", "the nodes' jobs stay")
        with killed(cluster, "slurmctld", how=signal.SIGTERM):
            code, said = run.end(60 + DEAF_S + OVERHEAD_S)
        assert home.perfdb("sync").returncode == 0
        nothing_left(home, cluster)
    record = only_record(home)
    assert (code, record["status"]) == (FAILED, "failed"), said
    assert "no node was acquired. cold-1" in record["reason"]
    assert "Unable to contact slurm controller" in record["reason"]


def the_controller_hung_before_a_round_s_jobs(home: Home) -> None:
    """sbatch does not come back within Parsl's patience: the run's own time limit ends it."""
    with pocket("deaf", TWO_NODES) as cluster:
        run = autoscale(home, config(home, cluster), "--timeout", "60", acquire_timeout_s=300, release_timeout_s=300)
        run.wait_for("nodes: Parsl scales in")
        until(lambda: cluster.queue() == "", "the nodes' jobs stay")
        with hung(cluster, "slurmctld"):
            code, said = run.end(60 + DEAF_S + OVERHEAD_S)
        assert home.perfdb("sync").returncode == 0
        nothing_left(home, cluster)
    record = only_record(home)
    assert code == FAILED, said
    assert record["status"] in ("failed", "timeout")
    assert "02-cold-1" in record["reason"] or "no node was acquired. cold-1" in record["reason"]


def a_cluster_that_is_taken_down_in_a_round(home: Home) -> None:
    with pocket("gone", TWO_NODES) as cluster:
        run = autoscale(home, config(home, cluster), task_s=3, acquire_timeout_s=300, release_timeout_s=300)
        run.wait_for("cold-1: 1 of 2")
        down(cluster.places, lambda _: None)
        code, said = run.end(DEAF_S + OVERHEAD_S)
        assert home.perfdb("sync").returncode == 0
    record = only_record(home)
    assert (code, record["status"]) == (FAILED, "failed") or (code, record["status"]) == (INVALID, "invalid"), said
    assert "the Slurm that SLURM_CONF names is gone" in record["reason"]
    until(lambda: home.processes() == [], f"processes are left: {home.processes()}")
    assert list((home.root / ".perfdb").glob("left/*")) == []


# The quickest of those that come in the middle of a round first, which `perfdb sync` has to see to as well.
DRILL = (
    a_cluster_that_is_taken_down_in_a_round,
    a_job_longer_than_the_partition_allows,
    an_account_that_is_none,
    a_partition_that_goes_down_in_a_round,
    a_node_that_never_boots,
    walltime_in_the_middle,
    a_node_that_crashes,
    a_node_s_daemon_that_dies_while_its_tasks_run,
    munge_killed_in_a_round,
    the_controller_killed_in_a_round,
    the_controller_hung_in_a_round,
    the_controller_stopped_before_a_round_s_jobs,
    the_controller_hung_before_a_round_s_jobs,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """As many of them as the drill's share says, from the first."""
    if "fault" in metafunc.fixturenames:
        share = metafunc.config.getoption("--drill-share")
        metafunc.parametrize("fault", DRILL[: max(1, round(share * len(DRILL)))], ids=lambda fault: fault.__name__)


@pytest.mark.drill
@pytest.mark.usefixtures("drill_share")
def test_a_fault_ends_in_time_with_a_record_that_says_so_and_no_job_left(
    fault: Callable[[Home], None], home: Home
) -> None:
    fault(home)
