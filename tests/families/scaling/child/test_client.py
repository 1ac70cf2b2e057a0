"""The load client against a service that does what it is told, wrong things too."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from perfdb.families.scaling.clients.answers import Begin, End, Names, Progress
from perfdb.families.scaling.clients.merge import Load, merge
from perfdb.families.scaling.plan import LoadPlan
from tests.families.scaling.loads import CHILD, answers, load, service, start, told


def quantile_s(merged: Load, phase: str, q: float) -> float:
    value = merged.latencies[phase].all_s(q)
    assert value is not None
    return value


def test_two_hundred_sessions_at_once_are_counted_alike_by_both_sides():
    there = service()
    merged = load(there.url, shape="burst", sessions=200, wait_s=1.0)
    stats = there.stats()
    assert merged.all == merged.steady == {"ok": 200}
    assert (stats["sessions"], stats["peak_open"], stats["peak_steps"]) == (200, 200, 200)
    assert (merged.sessions.peak, merged.steps.peak) == (200, 200)
    assert set(merged.latencies) == {"connect", "reset", "step", "close", "total"}
    assert all(latency.ok.total == 200 and not latency.failed.total for latency in merged.latencies.values())
    assert quantile_s(merged, "step", 0.01) >= 1.0
    assert quantile_s(merged, "total", 0.5) >= quantile_s(merged, "step", 0.5)
    assert sorted(merged.by_host.values()) == [66, 67, 67]
    assert len({one.row.session_hash for one in merged.told}) == 200


def test_sessions_begun_over_a_ramp_take_their_step_together():
    there = service()
    merged = load(there.url, shape="barrier", sessions=100, ramp_s=0.5, settle_s=0.5, wait_s=0.5)
    assert there.stats()["peak_steps"] == 100
    assert merged.sessions.at(0.99) == merged.steps.peak == 100
    assert merged.steps.at(0.99) == 0
    # Each session and each step had its moment.
    assert merged.send_lag is not None
    assert merged.send_lag.count == 200
    # The wait for the barrier is nobody's latency.
    assert quantile_s(merged, "total", 1.0) < 1.0


def test_pings_are_answered_while_sessions_wait_for_the_barrier():
    there = service(heartbeat_s=0.2)
    # Patience counts from the barrier on.
    merged = load(there.url, shape="barrier", sessions=10, settle_s=1.0, wait_s=0.2, timeout_s=0.9)
    assert merged.all == {"ok": 10}


def test_an_answer_to_a_step_that_was_not_asked_for_yet_is_wrong():
    there = service(every=2, fault="hurried")
    merged = load(there.url, shape="barrier", sessions=4, settle_s=0.5, wait_s=0.2)
    assert merged.all == {"ok": 2, "wrong_answer": 2}
    assert "not asked for yet" in "".join(one.trouble or "" for one in merged.told)


def test_processes_that_share_a_plan_do_together_what_it_says():
    there = service()
    merged = load(there.url, shape="barrier", sessions=101, ramp_s=0.2, settle_s=0.6, wait_s=0.5, clients=2)
    assert there.stats()["peak_steps"] == 101
    assert sorted(merged.loads) == [0, 1]
    assert {begin.begin_at for begin in merged.begins.values()} == {merged.begins[0].begin_at}
    assert [one.row.session for one in merged.told] == list(range(101))
    assert {one.client for one in merged.told if one.row.session % 2} == {1}
    assert merged.steps.peak == 101


def test_latency_counts_from_the_schedule_of_an_open_load_in_its_steady_window():
    plan = {"shape": "open", "rate": 100, "wait_s": 0.1, "ramp_s": 0.5, "warm_up_s": 0.3, "steady_s": 1.0}
    there = service()
    merged = load(there.url, **plan)
    assert merged.all == {"ok": 25 + 30 + 100}
    assert merged.steady == {"ok": 100}
    assert merged.latencies["total"].ok.total == 100
    for one in merged.told:
        assert one.row.total_us >= one.row.lag_us + sum(filter(None, one.row[3:6])) - 3


def test_users_of_a_closed_load_do_one_session_after_another():
    there = service()
    merged = load(there.url, shape="closed", sessions=3, wait_s=0.1, ramp_s=0.2, warm_up_s=0.1, steady_s=1.0)
    assert there.stats()["peak_open"] <= 3
    assert merged.steps.peak <= 3
    assert 6 <= sum(merged.steady.values()) <= 30
    sessions = [one.row.session for one in merged.told]
    assert len(set(sessions)) == len(sessions)


@pytest.mark.parametrize("protocol", ["ws", "http"])
@pytest.mark.parametrize(
    ("fault", "outcome", "says"),
    [
        ("503", "503", "HTTP status 503"),
        ("capacity", "capacity", "at capacity"),
        ("abort step", "reset", ""),
        ("wrong", "wrong_answer", "waited 0.1 s where 0.2 were asked for"),
        ("hasty", "wrong_answer", "answered a step of 0.2 s after"),
        ("silent", "timeout", "no answer in step"),
    ],
)
def test_each_failure_is_classed_and_kept_beside_the_successes(protocol, fault, outcome, says):
    there = service(every=4, fault=fault)
    merged = load(there.url, protocol=protocol, shape="burst", sessions=20, wait_s=0.2, timeout_s=1.0)
    assert merged.all == {"ok": 15, outcome: 5}
    assert merged.latencies["total"].ok.total == 15
    assert merged.latencies["total"].failed.total == 5
    assert all(says in (one.trouble or "") for one in merged.told if one.row.outcome == outcome)
    if fault == "silent":
        assert merged.latencies["total"].failed.at_rank(1) >= 1_000_000


@pytest.mark.parametrize(("fault", "outcome"), [("abort", "reset"), ("garbage", "wrong_answer")])
def test_a_websocket_that_breaks_is_classed(fault, outcome):
    there = service(every=2, fault=fault)
    merged = load(there.url, shape="burst", sessions=10, wait_s=0.1, timeout_s=2.0)
    assert merged.all == {"ok": 5, outcome: 5}


@pytest.mark.parametrize("fault", ["ping", "long", "hangs up"])
def test_what_a_websocket_may_do_is_no_fault(fault):
    there = service(every=1, fault=fault)
    merged = load(there.url, shape="burst", sessions=10, wait_s=0.1)
    assert (merged.all, merged.close_failed) == ({"ok": 10}, 0)


def test_a_close_that_fails_is_told_beside_a_success():
    there = service(every=2, fault="never closes")
    merged = load(there.url, shape="burst", sessions=10, wait_s=0.1, timeout_s=1.5)
    assert merged.all == {"ok": 10}
    assert (merged.steady_close_failed, merged.close_failed) == (5, 5)
    # Their steps were over long before.
    assert (merged.steps.at(1.2), merged.sessions.at(1.2)) == (0, 5)
    assert merged.latencies["close"].ok.total == 5


def test_closes_that_fail_count_by_when_their_sessions_were_scheduled():
    there = service(every=2, fault="never closes")
    plan = {"shape": "open", "rate": 20, "wait_s": 0.0, "warm_up_s": 0.5, "steady_s": 1.0}
    merged = load(there.url, timeout_s=0.5, **plan)
    assert (merged.steady_close_failed, merged.close_failed) == (10, 15)


def test_a_service_that_is_another_host_each_time_is_told_whole():
    there = service(fault="another host", every=1)
    said = told(there.url, shape="burst", sessions=1200, wait_s=0.0)
    merged = merge(said)
    assert merged.missing == ()
    assert merged.all == {"ok": 1200}
    assert len(merged.by_host) == 1000
    assert max(len(answer.model_dump_json()) for answer in said if isinstance(answer, Names)) < 20_000


def test_words_of_failures_fit_into_lines_whatever_their_signs():
    there = service(fault="signs", every=1)
    process = start(LoadPlan(url=f"{there.url}/get", protocol="get", shape="burst", sessions=150, wait_s=0.0))
    out, _ = process.communicate(timeout=60)
    assert max(map(len, out.splitlines())) < 64 * 1024
    merged = merge(answers(out))
    assert merged.complete
    assert len({one.trouble for one in merged.told} - {None}) == 100


def test_a_wait_that_no_session_can_have_had_is_no_number_that_cannot_be_read():
    there = service(fault="aeons", every=1)
    merged = load(there.url, shape="burst", sessions=3, wait_s=0.0)
    assert merged.all == {"wrong_answer": 3}
    assert [one.row.waited_us for one in merged.told] == [None] * 3


def test_steps_that_failed_are_not_taken_for_ones_that_succeeded_at_the_barrier():
    there = service(fault="silent", every=2)
    merged = load(there.url, shape="barrier", sessions=20, settle_s=0.5, wait_s=0.3, timeout_s=1.0)
    assert merged.all == {"ok": 10, "timeout": 10}
    assert (merged.steps.peak, merged.ok_steps.peak) == (20, 10)
    assert load(there.url, shape="burst", sessions=2, wait_s=0.1, timeout_s=0.5).ok_steps.peak == 0


def test_a_service_that_is_full_is_told_from_one_that_is_broken():
    there = service(capacity=7)
    merged = load(there.url, shape="burst", sessions=10, wait_s=0.3)
    assert merged.all == {"ok": 7, "capacity": 3}


def test_nobody_there_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    merged = load(f"http://127.0.0.1:{port}", shape="burst", sessions=5)
    assert merged.all == {"refused": 5}
    assert merged.latencies["total"].all_s(0.5) is None


def test_files_that_run_out_are_the_clients_own_fault():
    there = service()
    plan = LoadPlan(url=there.url, shape="burst", sessions=60, wait_s=0.5)
    process = start(plan, most_files=50)
    merged = merge(answers(process.communicate(timeout=30)[0]))
    assert merged.complete
    assert set(merged.all) == {"ok", "client"}
    assert sum(merged.all.values()) == 60
    assert {one.trouble for one in merged.told if one.row.outcome == "client"} == {"Too many open files"}
    assert merged.begins[0].files == 0


def test_more_rows_than_can_be_kept_are_counted_as_left_out():
    there = service()
    plan = LoadPlan(url=there.url, shape="barrier", sessions=10, wait_s=0.3, ramp_s=0.3, settle_s=0.3)
    process = start(plan, having="import telling, account; telling.MOST_ROWS = 6; account.MOST_MOMENTS = 8")
    merged = merge(answers(process.communicate(timeout=30)[0]))
    assert merged.complete
    assert (merged.all, len(merged.told), merged.left_out) == ({"ok": 10}, 6, 4)
    assert merged.latencies["total"].ok.total == 10
    # The curve got coarser, and lost nobody.
    assert {ms % 100 for ms in merged.sessions.changes} == {0}
    assert len(merged.sessions.changes) <= 8
    assert merged.sessions.at(0.5) == 10
    assert merged.sessions.levels[-1][1] == 0


def test_a_service_that_listens_on_one_of_its_names_addresses_is_found():
    there = service()
    port = int(there.url.split(":")[2].split("/")[0])
    # What a name may stand for: an address where nobody listens comes first.
    elsewhere = f"[(2, 1, 6, '', (host, {port})) for host in ('127.0.0.9', '127.0.0.1')]"
    plan = LoadPlan(url=there.url.replace("127.0.0.1", "two-addresses"), shape="burst", sessions=5, wait_s=0.0)
    process = start(plan, having=f"import socket; socket.getaddrinfo = lambda *a, **k: {elsewhere}")
    assert merge(answers(process.communicate(timeout=30)[0])).all == {"ok": 5}


def test_as_many_files_are_open_as_the_machine_allows():
    there = service()
    plan = LoadPlan(url=there.url, shape="burst", sessions=60, wait_s=0.3)
    few = "resource.setrlimit(resource.RLIMIT_NOFILE, (50, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))"
    merged = merge(answers(start(plan, having=f"import resource; {few}").communicate(timeout=30)[0]))
    assert merged.all == {"ok": 60}


def test_plain_requests_have_one_phase_and_may_come_in_chunks():
    there = service(every=2, fault="chunked")
    merged = load(f"{there.url}/get?wait=0.1", protocol="get", shape="burst", sessions=10)
    assert merged.all == {"ok": 10}
    assert set(merged.latencies) == {"connect", "step", "total"}
    assert load(f"{there.url}/missing", protocol="get", shape="burst", sessions=2).all == {"wrong_answer": 2}


def test_a_delay_of_the_service_shows_where_it_belongs():
    there = service(every=100, fault="slow", extra_s=0.2)
    plan = {"shape": "open", "rate": 300, "wait_s": 0.1, "steady_s": 2.0}
    merged = load(there.url, **plan)
    assert merged.all == {"ok": 600}
    slow = [one for one in merged.told if (one.row.step_us or 0) > 295_000]
    assert len(slow) >= 6
    assert quantile_s(merged, "step", 0.995) > 0.295
    assert quantile_s(merged, "step", 0.5) < 0.2


def test_a_client_that_was_stopped_for_a_second_says_so():
    there = service()
    process = start(LoadPlan(url=there.url, shape="open", rate=100, wait_s=0.1, steady_s=3.0))
    assert process.stdout is not None
    begun = "".join(process.stdout.readline() for _ in range(2))
    assert [type(answer) for answer in answers(begun)] == [Begin, Progress]
    time.sleep(0.5)
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.0)
    process.send_signal(signal.SIGCONT)
    merged = merge(answers(begun + process.communicate(timeout=30)[0]))
    assert merged.all == {"ok": 300}
    assert merged.send_lag is not None
    assert merged.tick_lag is not None
    assert merged.send_lag.max_s > 0.9
    assert merged.send_lag.p99_s > 0.9
    assert merged.tick_lag.max_s > 0.9
    # Latency counts from the schedule, so nothing of the stall is lost from it.
    assert quantile_s(merged, "total", 0.99) > 0.9


def test_a_stall_while_a_burst_waits_for_its_answers_shows_too():
    there = service()
    process = start(LoadPlan(url=there.url, shape="burst", sessions=5, wait_s=2.0))
    assert process.stdout is not None
    begun = "".join(process.stdout.readline() for _ in range(2))
    time.sleep(0.3)
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.0)
    process.send_signal(signal.SIGCONT)
    merged = merge(answers(begun + process.communicate(timeout=30)[0]))
    assert merged.all == {"ok": 5}
    assert merged.tick_lag is not None
    assert merged.tick_lag.max_s > 0.9


def test_a_client_that_waits_for_its_beginning_stops_when_told():
    process = start(LoadPlan(url="http://127.0.0.1:9", shape="burst", sessions=5, begin_at=round(time.time()) + 1000))
    assert process.stdout is not None
    begun = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    merged = merge(answers(begun + process.communicate(timeout=10)[0]))
    assert merged.ends[0].outcome == "stopped"
    assert merged.all == {}


@pytest.mark.parametrize("clients", [1, 2])
def test_a_client_that_is_told_to_stop_tells_what_it_has(clients):
    there = service()
    process = start(LoadPlan(url=there.url, shape="open", rate=50, wait_s=0.1, steady_s=60.0, clients=clients))
    assert process.stdout is not None
    begun = "".join(process.stdout.readline() for _ in range(2 * clients + 1))
    process.send_signal(signal.SIGINT)
    said = answers(begun + process.communicate(timeout=30)[0])
    merged = merge(said)
    assert {end.outcome for end in merged.ends.values()} == {"stopped"}
    assert sorted(merged.ends) == list(range(clients))
    assert not merged.complete
    assert sum(merged.all.values()) == len(merged.told)
    assert merged.all["ok"] > 0


# What starts the program on a node.
STARTER = "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]])"


@pytest.mark.parametrize("killed", ["program", "starter"])
def test_clients_that_nobody_waits_for_leave_the_service_alone(killed):
    plan = LoadPlan(url=service().url, shape="open", rate=50, wait_s=0.1, steady_s=60.0, clients=2)
    env = {**os.environ, "PERFDB_LOAD_PLAN": plan.model_dump_json(), "PERFDB_HOST_KEY": "key"}
    command = [sys.executable, "-c", STARTER, str(CHILD / "program.py"), "0", "2"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        for _ in range(4):
            starter.stdout.readline()
        (program,) = psutil.Process(starter.pid).children()
        clients = program.children()
        (program if killed == "program" else starter).kill()
        assert len(clients) == 2
        assert psutil.wait_procs(clients, timeout=20)[1] == []
        assert killed == "program" or psutil.wait_procs([program], timeout=20)[1] == []


def test_what_a_killed_client_did_not_tell_is_known_to_be_missing():
    there = service()
    plan = LoadPlan(url=there.url, shape="burst", sessions=10, wait_s=1.0, clients=2, begin_at=round(time.time()) + 2)
    killed, whole = start(plan, 0, 1), start(plan, 1, 1)
    assert killed.stdout is not None
    begun = killed.stdout.readline() + killed.stdout.readline()
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=30)
    said = answers(begun) + answers(whole.communicate(timeout=30)[0])
    merged = merge(said)
    assert merged.silent == (0,)
    assert not merged.complete
    assert merged.all == {"ok": 5}
    assert merged.progress[0].begun <= 5


@pytest.mark.parametrize("host", ["no-such-host.invalid", "no..host"])
def test_a_name_that_cannot_be_found_is_an_end_in_words(host):
    process = start(LoadPlan(url=f"http://{host}:8000", shape="burst", sessions=2))
    said, trouble = process.communicate(timeout=60)
    (end,) = answers(said)
    assert isinstance(end, End)
    assert (process.returncode, end.outcome, trouble) == (1, "failed", "")
    assert "name was not found" in (end.trouble or "")


def test_no_address_of_a_host_is_told():
    there = service(every=2, fault="503")
    said = told(there.url, shape="burst", sessions=6, wait_s=0.0)
    text = "".join(answer.model_dump_json() for answer in said)
    assert "no healthy upstream" in text
    assert "10.0.0.1" not in text


class Echo(BaseHTTPRequestHandler):
    """Repeats what it was asked for in its refusal, as many do."""

    def do_GET(self) -> None:
        said = f"Cannot GET {self.path}".encode()
        self.send_response(404)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_the_path_of_a_service_is_in_no_words_of_a_failure():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/team/t0ken?key=t0ken"
            merged = load(url, protocol="get", shape="burst", sessions=2)
        finally:
            server.shutdown()
    assert [one.trouble for one in merged.told] == ["HTTP status 404: Cannot GET …"] * 2
