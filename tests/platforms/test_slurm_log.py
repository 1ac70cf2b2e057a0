"""slurmctld's log, as Slurm 22.05 wrote it on pocket clusters."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from perfdb.platforms.slurm_log import ControllerLog

DAY = datetime(2026, 11, 21, tzinfo=UTC)
# Job 5 waits for two nodes that boot; 4 runs where a node is up; 9 is cancelled as it runs, 12 in the queue; 8 runs out of time.
BOOTS = """\
[2026-11-21T12:15:09.815+00:00] _slurm_rpc_submit_batch_job: JobId=4 InitPrio=4294901756 usec=187
[2026-11-21T12:15:09.818+00:00] _slurm_rpc_submit_batch_job: JobId=5 InitPrio=4294901755 usec=134
[2026-11-21T12:15:10.541+00:00] sched/backfill: _start_job: Started JobId=4 in plain on n2
[2026-11-21T12:15:10.541+00:00] sched/backfill: _start_job: Started JobId=5 in cloud on n[0-1]
[2026-11-21T12:15:12.557+00:00] _job_complete: JobId=4 WEXITSTATUS 0
[2026-11-21T12:15:12.557+00:00] _job_complete: JobId=4 done
[2026-11-21T12:15:13.580+00:00] Node n0 now responding
[2026-11-21T12:15:13.580+00:00] debug2: _slurm_rpc_node_registration complete for n0 usec=23
[2026-11-21T12:15:14.012+00:00] Node n1 now responding
[2026-11-21T12:15:31.722+00:00] job_time_limit: Configuration for JobId=5 complete
[2026-11-21T12:15:31.722+00:00] Resetting JobId=5 start time for node power up
[2026-11-21T12:15:33.123+00:00] _job_complete: JobId=5 WEXITSTATUS 0
[2026-11-21T12:15:33.123+00:00] _job_complete: JobId=5 done
[2026-11-21T12:15:33.127+00:00] TRACE_JOBS: job_epilog_complete: enter JobId=5
[2026-11-21T12:15:33.127+00:00] TRACE_JOBS: cleanup_completing: JobId=5
"""
ENDS = """\
[2026-11-21T12:20:34.211+00:00] _slurm_rpc_submit_batch_job: JobId=8 InitPrio=4294901752 usec=184
[2026-11-21T12:20:34.214+00:00] _slurm_rpc_submit_batch_job: JobId=9 InitPrio=4294901751 usec=162
[2026-11-21T12:20:34.573+00:00] sched: Allocate JobId=8 NodeList=n2 #CPUs=1 Partition=plain
[2026-11-21T12:20:34.574+00:00] sched/backfill: _start_job: Started JobId=9 in plain on n2
[2026-11-21T12:20:37.227+00:00] _slurm_rpc_kill_job: REQUEST_KILL_JOB JobId=9 uid 0
[2026-11-21T12:20:37.227+00:00] job_signal: 9 of running JobId=9 successful 0x8004
[2026-11-21T12:20:39.240+00:00] _slurm_rpc_submit_batch_job: JobId=12 InitPrio=4294901748 usec=170
[2026-11-21T12:20:41.247+00:00] job_signal: 9 of pending JobId=12 successful
[2026-11-21T12:22:01.084+00:00] Time limit exhausted for JobId=8
[2026-11-21T12:22:01.099+00:00] _job_complete: JobId=8 done
"""
REQUEUED = """\
[2026-11-21T12:31:05.676+00:00] _slurm_rpc_submit_batch_job: JobId=3 InitPrio=4294901757 usec=186
[2026-11-21T12:31:06.113+00:00] sched/backfill: _start_job: Started JobId=3 in pocket on n0
[2026-11-21T12:31:40.114+00:00] node n0 not resumed by ResumeTimeout(32) - marking down and power_save
[2026-11-21T12:31:40.114+00:00] requeue job JobId=3 due to failure of node n0
[2026-11-21T12:31:40.114+00:00] TRACE_JOBS: deallocate_nodes: JobId=3
[2026-11-21T12:31:40.114+00:00] TRACE_JOBS: cleanup_completing: JobId=3
[2026-11-21T12:31:40.114+00:00] Requeuing JobId=3
"""
AGAIN = """\
[2026-11-21T12:33:41.000+00:00] sched: Allocate JobId=3 NodeList=n1 #CPUs=1 Partition=pocket
[2026-11-21T12:33:43.000+00:00] Node n1 now responding
[2026-11-21T12:33:50.000+00:00] job_time_limit: Configuration for JobId=3 complete
"""


def instant(text):
    hours, minutes, seconds = text.split(":")
    return DAY + timedelta(hours=int(hours), minutes=int(minutes), milliseconds=round(float(seconds) * 1000))


def power(*events):
    """Lines of power.jsonl: instants as `12:15:11.550`."""
    return [json.dumps({"at": instant(at).timestamp(), "event": event, "node": node}) for at, event, node in events]


POWERED = power(
    ("12:15:11.550", "power_up", "n0"), ("12:15:11.550", "power_up", "n1"), ("12:15:13.500", "booted", "n0")
)


def told(stamp):
    """A stamp as `12:15:11.550`."""
    return None if stamp is None else stamp.at.strftime("%H:%M:%S.%f")[:-3]


def read(text, events=()):
    return ControllerLog.read(text.splitlines(keepends=True), events)


def test_a_job_on_a_node_that_is_up_starts_when_it_is_allocated():
    times = read(BOOTS, POWERED).times("4", ("n2",))
    assert (told(times.pending), told(times.allocated)) == ("12:15:09.815", "12:15:10.541")
    assert (told(times.started), told(times.ended)) == ("12:15:10.541", "12:15:12.557")
    assert times.boots == ()
    assert times.pending.resolution_s == 0.001


def test_a_job_whose_nodes_boot_starts_when_they_have_and_each_boot_is_told():
    times = read(BOOTS, POWERED).times("5", ("n0", "n1"))
    assert (told(times.allocated), told(times.started)) == ("12:15:10.541", "12:15:31.722")
    assert [(b.node, told(b.asked), told(b.registered)) for b in times.boots] == [
        ("n0", "12:15:11.550", "12:15:13.580"),
        ("n1", "12:15:11.550", "12:15:14.012"),
    ]


def test_a_start_after_a_prolog_is_told_too():
    prolog = BOOTS.replace(
        "job_time_limit: Configuration for JobId=5 complete",
        "prolog_running_decr: Configuration for JobId=5 is complete",
    )
    assert read(prolog, POWERED).times("5", ("n0", "n1")) == read(BOOTS, POWERED).times("5", ("n0", "n1"))


def test_a_job_ends_when_its_nodes_are_given_back_where_the_log_tells():
    log = read(BOOTS, POWERED)
    assert told(log.times("5", ("n0", "n1")).ended) == "12:15:33.127"
    assert log.times("5", ()).ended.source.endswith("nodes given back")
    assert log.times("4", ()).ended.source.endswith("job over")


def test_the_end_of_a_job_and_that_of_its_nodes_are_told_apart():
    log = read(BOOTS, POWERED)
    both = log.times("5", ())
    assert (told(both.over), told(both.given_back)) == ("12:15:33.123", "12:15:33.127")
    first = log.times("4", ())
    assert (told(first.over), first.given_back) == ("12:15:12.557", None)


def test_a_job_is_over_once_its_nodes_are_given_back_or_where_it_never_had_any():
    log, ends, requeued = read(BOOTS, POWERED), read(ENDS), read(REQUEUED)
    assert (log.is_over("5"), log.is_over("4"), log.is_over("99")) == (True, False, False)
    assert (ends.is_over("9"), ends.is_over("12")) == (False, True)
    assert not requeued.is_over("3")


def test_a_job_has_begun_once_it_has_its_nodes_and_not_after_it_was_requeued():
    assert (read(ENDS).has_begun("9"), read(ENDS).has_begun("12")) == (True, False)
    assert read(REQUEUED.partition("[2026-11-21T12:31:40")[0]).has_begun("3")
    assert not read(REQUEUED).has_begun("3") and not read(REQUEUED).has_begun("99")


def test_a_job_on_nodes_that_were_up_already_boots_nothing():
    later = power(("12:10:00.000", "power_up", "n0"), ("12:10:00.000", "power_up", "n1"))
    up = "[2026-11-21T12:10:02.000+00:00] Node n0 now responding\n[2026-11-21T12:10:02.000+00:00] Node n1 now responding\n"
    times = read(up + BOOTS, later).times("4", ("n0", "n1"))
    assert times.boots == ()
    assert told(times.started) == told(times.allocated)


def test_a_node_that_boots_for_somebody_else_is_no_boot_asked_for_this_job():
    asked_before = power(("12:15:10.000", "power_up", "n0"))
    (boot,) = read(BOOTS, asked_before).times("5", ("n0",)).boots
    assert (boot.asked, told(boot.registered)) == (None, "12:15:13.580")


def test_ways_to_end_are_told_apart():
    log = read(ENDS)
    assert told(log.times("9", ("n2",)).ended) == "12:20:37.227"
    assert told(log.times("8", ("n2",)).ended) == "12:22:01.084"  # when its time was up, not when its script noticed
    waiting = log.times("12", ())
    assert (told(waiting.ended), waiting.allocated, waiting.started) == ("12:20:41.247", None, None)


def test_a_job_whose_node_never_boots_has_not_started():
    log = read(REQUEUED.partition("[2026-11-21T12:31:40")[0], power(("12:31:06.120", "power_up", "n0")))
    times = log.times("3", ("n0",))
    assert times.started is None
    (boot,) = times.boots
    assert (told(boot.asked), boot.registered) == ("12:31:06.120", None)


def test_a_requeued_job_is_told_by_its_last_way_and_was_taken_once():
    events = power(("12:31:06.120", "power_up", "n0"), ("12:33:41.100", "power_up", "n1"))
    waits = read(REQUEUED, events).times("3", ())
    assert (told(waits.pending), waits.allocated, waits.started, waits.ended) == ("12:31:05.676", None, None, None)
    again = read(REQUEUED + AGAIN, events).times("3", ("n1",))
    assert (told(again.pending), told(again.allocated)) == ("12:31:05.676", "12:33:41.000")
    assert told(again.started) == "12:33:50.000"
    assert [(boot.node, told(boot.asked)) for boot in again.boots] == [("n1", "12:33:41.100")]


def test_another_zone_is_the_same_instant():
    there = BOOTS.replace("T12:", "T14:").replace("+00:00", "+02:00")
    assert read(there, POWERED).times("5", ("n0", "n1")) == read(BOOTS, POWERED).times("5", ("n0", "n1"))


def test_a_job_that_the_log_does_not_know_has_no_times():
    times = read(BOOTS).times("99", ("n0",))
    assert (times.pending, times.allocated, times.started, times.ended, times.boots) == (None,) * 4 + ((),)


@given(st.integers(0, len(BOOTS)), st.integers(0, 200))
def test_a_log_that_ends_anywhere_tells_what_it_has(cut, cut_events):
    events = "\n".join(POWERED)[:cut_events].splitlines()
    times, whole = (read(text, events).times("5", ("n0", "n1")) for text in (BOOTS[:cut], BOOTS))
    assert times.pending in (None, whole.pending)
    assert times.allocated in (None, whole.allocated)


@given(
    st.lists(st.text(max_size=80) | st.sampled_from(BOOTS.splitlines()), max_size=20), st.lists(st.text(max_size=60))
)
def test_garbage_is_never_raised(lines, events):
    odd = ['{"at": 1e400, "event": "power_up", "node": 5}', '{"at": null, "event": "power_up"}', "[]", "5", '"x"']
    ControllerLog.read(lines, [*events, *odd]).times("5", ("n0",))
