"""A load that is watched: real backends, the real Envoy, a real fault."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from perfdb.errors import UsageError
from perfdb.families import ChildRun, Measurements
from perfdb.families.scaling import FAMILY
from perfdb.families.scaling.measure import measure
from perfdb.families.scaling.servers.watching import NOT_KEPT
from perfdb.families.scaling.spec import ScalingSpec
from perfdb.families.scaling.summarise import summarise
from perfdb.processes.log import ChildLog, Exit, Line
from perfdb.registry.samples import to_parquet
from perfdb.registry.validator.parquet import ParquetReader
from perfdb.services.addresses import Address
from perfdb.services.envoy import admin as asked
from tests.families.scaling.loads import told, watch_modules
from tests.services.serving import PERFDB, free_port, kill, multi, program, within

watch, watched, balancer, processes, telling = watch_modules("watch", "watched", "balancer", "processes", "telling")


@dataclass(frozen=True)
class StandInLab:
    """As much of a lab as the family asks for."""

    target: str
    host_key: str = "key"


@dataclass
class Here:
    """A service that runs, and what is typed to find it."""

    told: dict[str, Any]
    folder: Path

    @property
    def url(self) -> str:
        return str(self.told["url"])

    @property
    def admin(self) -> str:
        return str(self.told["admin"]).removeprefix("http://")

    def spec(self, **options: Any) -> ScalingSpec:
        chosen = {"admin": self.admin, "wait_grid": "0.1", "reps": 1, **options}
        return ScalingSpec(**chosen)

    def first_pid(self) -> int:
        """The first backend's process, as the connection file has it."""
        return int((self.folder / "openenv-connection.env").read_text().split("WORKER_PIDS='")[1].split()[0])

    def well(self) -> bool:
        host, port = self.admin.split(":")
        return asked.clusters(Address(host, int(port))).healthy == 3


@pytest.fixture(scope="module")
def lean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """Envoy before three lean servers; one that is killed is back after three seconds and Envoy's next look."""
    folder = tmp_path_factory.mktemp("service")
    with multi(folder, "--lean", "--restart-after", "3") as (_, told):
        yield Here(told, folder)


@contextlib.contextmanager
def begun(url: str, spec: ScalingSpec) -> Iterator[subprocess.Popen[str]]:
    """The one child of such a run."""
    (program,) = measure(StandInLab(url), spec)  # type: ignore[arg-type]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(program.argv, env={**os.environ, **program.env}, **pipes) as process:
        yield process
        process.kill()


def run(url: str, spec: ScalingSpec, meanwhile: Callable[[], object] = lambda: None) -> tuple[Measurements, str]:
    """The run, and everything that its child said; `meanwhile` is done once sessions are under way."""
    (program,) = measure(StandInLab(url), spec)  # type: ignore[arg-type]
    said: list[str] = []
    with begun(url, spec) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        done: threading.Thread | None = None
        for line in process.stdout:
            said.append(line.rstrip("\n"))
            if done is None and '"progress"' in line:
                done = threading.Thread(target=meanwhile)
                done.start()
        assert done is not None
        done.join()
        trouble = process.stderr.read()
        assert (process.wait(30), trouble) == (0, "")  # what is printed goes into the record too
    log = ChildLog(f"01-{program.name}", None, tuple(Line(0.0, "stdout", text) for text in said), Exit(1, 0, "ended"))
    measured = FAMILY.assemble(spec, None, [ChildRun(log)])
    with ParquetReader() as reader:  # what a record states follows from its samples as they are kept
        reader.send(to_parquet(measured.samples))
        assert summarise(reader.receive().columns) == measured.metrics
    return measured, "\n".join(said)


def failed(measured: Measurements) -> dict[str, str]:
    return {check.name: check.detail for check in measured.checks if not check.passed}


def values(measured: Measurements) -> dict[str, float]:
    return {metric.name: metric.all_values[0] for metric in measured.metrics}


def found(measured: Measurements, name: str) -> str:
    ((value, evidence),) = ((one.value, one.evidence) for one in measured.findings if one.name == name)
    return f"{value}: {evidence}"


def test_backends_and_balancer_are_seen_at_work_and_agree_with_the_clients(lean: Here) -> None:
    measured, said = run(lean.url, lean.spec(n=300, wait=1, expected_hosts=3, require_hosts=True))
    assert measured.status == "ok", measured.reason
    assert {"balancer_agrees", "balancer_watched", "no_backend_ejected", "hosts_even"} <= {
        c.name for c in measured.checks
    }
    seen = values(measured)
    assert 0 < seen["backend_cpu_share"] < seen["balancer_cpu_share"] < 2
    for role, pid in (("backend", lean.told["backends"][0]["pid"]), ("balancer", lean.told["envoy_pid"])):
        now = psutil.Process(pid)
        assert seen[f"{role}_memory_bytes"] == pytest.approx(now.memory_info().rss, rel=0.3)
        assert seen[f"{role}_threads"] == now.num_threads()
    assert seen["requests_spread"] <= 0.05
    assert found(measured, "server_side").startswith("3 backends and balancer: repetition 1, ")
    for word in (*(one["host_url"] for one in lean.told["backends"]), lean.admin, "127.0.0."):
        assert word not in said


def test_over_http_each_session_is_two_requests_of_the_balancers(lean: Here) -> None:
    measured, _ = run(lean.url, lean.spec(n=90, mode="http"))
    assert measured.status == "ok", measured.reason


def test_somebody_elses_sessions_through_the_same_balancer_are_told(lean: Here) -> None:
    measured, _ = run(lean.url, lean.spec(n=100, wait=2), lambda: told(lean.url, shape="burst", sessions=60, wait_s=0))
    assert measured.status == "invalid"
    assert (
        "the balancer passed on 160 requests, and the clients sent 100 at most" in failed(measured)["balancer_agrees"]
    )


def test_a_way_past_the_balancer_is_told(lean: Here) -> None:
    measured, _ = run(lean.told["backends"][0]["url"], lean.spec(n=60))
    assert list(failed(measured)) == ["balancer_agrees"]
    assert "the balancer passed on 0 requests" in failed(measured)["balancer_agrees"]
    assert found(measured, "server_side").startswith("3 backends: ")  # what was loaded is one of them


def test_without_a_balancers_admin_a_run_is_ok_and_says_so(lean: Here) -> None:
    measured, _ = run(lean.told["backends"][0]["url"], lean.spec(n=60, admin=None))
    assert measured.status == "ok", measured.reason
    assert not {check.name for check in measured.checks} & {"balancer_agrees", "no_backend_ejected", "balancer_watched"}
    told = found(measured, "server_side")
    assert told.startswith("backend: repetition 1, wait 0.1 s, load 60: backend: at most ")
    assert "no balancer's counters: " in told
    assert "name its admin with --admin HOST:PORT" in told


def test_an_admin_that_was_named_and_does_not_answer_makes_a_run_invalid(lean: Here) -> None:
    measured, _ = run(lean.url, lean.spec(n=30, admin=f"127.0.0.1:{free_port()}"))
    assert list(failed(measured)) == ["balancer_watched"]


def test_a_backend_that_died_during_a_run_makes_it_invalid(lean: Here) -> None:
    within(30, lean.well)
    victim = processes.Holders().of([("127.0.0.3", Address.parsed(lean.told["backends"][1]["host_url"]).port)])
    ((pid,),) = victim.values()
    spec = lean.spec(shape="open", requests_grid="50", steady_s=4)
    measured, _ = run(lean.url, spec, lambda: kill(pid))
    assert measured.status == "invalid"
    assert "1 of 3 backends were not healthy" in failed(measured)["no_backend_ejected"]


def test_a_fault_costs_sessions_and_is_over_after_a_while(lean: Here) -> None:
    within(30, lean.well)
    first = f"sh -c '. {lean.folder}/openenv-connection.env; kill -9 ${{WORKER_PIDS%% *}}'"
    before = psutil.Process(lean.first_pid())
    spec = lean.spec(
        shape="open", requests_grid="60", wait_grid="0.3", steady_s=8, fault_after=1.6, fault_command=first
    )
    measured, said = run(lean.url, spec)
    assert not before.is_running()
    assert (measured.status, measured.reason) == ("ok", None)
    assert not {check.name for check in measured.checks} & {"no_backend_ejected", "hosts_even"}
    seen = values(measured)
    # What dies takes about 60 * 0.3 / 3 sessions with it, and a third of those that come until it is ejected.
    assert 3 <= seen["sessions_lost"] <= 200
    assert 0.05 < seen["time_to_eject_s"] < 5  # Envoy looks every second, and believes it the second time
    assert 0 <= seen["time_to_recover_s"] <= seen["time_to_eject_s"] + 1
    assert seen["time_to_eject_s"] < seen["time_to_readmit_s"] < 9
    assert f"{seen['sessions_lost']:.0f} sessions lost" in found(measured, "fault")
    assert not any(one.name == "ceiling" for one in measured.findings)
    (at_s,) = (
        row for row, of in zip(measured.samples["value_s"], measured.samples["quantity"], strict=True) if of == "fault"
    )
    assert at_s == pytest.approx(1.6, abs=0.2)
    assert said.count('"kind":"health"') >= 3  # looked at closely: all well, one ejected, all well again
    assert "kill" not in said
    assert "WORKER_PIDS" not in said
    # The same command takes the one that was started in its place.
    again = psutil.Process(within(10, lambda: lean.first_pid() if lean.first_pid() != before.pid else 0))
    assert "perfdb.services.lean" in again.cmdline()


def test_a_fault_that_did_not_happen_makes_a_run_invalid(lean: Here) -> None:
    within(30, lean.well)
    loud = "sh -c 'echo a secret of node-17; echo more >&2; exit 7'"
    spec = lean.spec(shape="open", requests_grid="20", steady_s=1, fault_after=0.3, fault_command=loud)
    measured, said = run(lean.url, spec)
    assert list(failed(measured)) == ["fault_happened"]
    assert "the fault's command ended with code 7" in failed(measured)["fault_happened"]
    assert "secret" not in said
    assert "more" not in said


def test_an_envoy_at_the_usual_port_is_taken_if_it_serves_the_url_and_only_then(
    lean: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balancer, "DEFAULT_PORT", int(lean.admin.split(":")[1]))
    assert watch.Watch(lean.url, "key", None)._why == "watched"
    assert watch.Watch("http://127.0.0.1:1", "key", None)._why == "other_port"
    assert watch.Watch("http://127.0.0.9:1", "key", None)._why == "no_answer"


class Admin(http.server.BaseHTTPRequestHandler):
    """As much of Envoy's admin as says that a stranger is a backend of port 4711."""

    stranger: tuple[str, int]

    def do_GET(self) -> None:
        where = {"socket_address": {"address": self.stranger[0], "port_value": self.stranger[1]}}
        backend = {"address": where, "health_status": {}, "stats": [{"name": "rq_total", "value": 1}]}
        body = {
            "cluster_statuses": [{"name": balancer.CLUSTER, "host_statuses": [backend]}],
            "listener_statuses": [{"local_address": {"socket_address": {"port_value": 4711}}}],
            "stats": [],
        }
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("named", [False, True])
def test_whom_an_admin_names_is_asked_only_if_the_user_named_the_admin(
    named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}
    monkeypatch.setattr(telling, "answer", lambda kind, **fields: told.update({kind: fields}))
    monkeypatch.setattr(processes, "is_ours", lambda host: host != "127.0.0.8")
    with (
        socket.create_server(("127.0.0.8", 0)) as stranger,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Admin) as server,
    ):
        Admin.stranger = stranger.getsockname()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        monkeypatch.setattr(balancer, "DEFAULT_PORT", port)
        watch.Watch("http://127.0.0.1:4711", "key", f"127.0.0.1:{port}" if named else None).before()
        server.shutdown()
        assert [(role, how) for _, role, how in told["watch"]["servers"]] == [("balancer", "none"), ("backend", "none")]
        stranger.setblocking(False)
        with contextlib.nullcontext() if named else pytest.raises(BlockingIOError):
            stranger.accept()[0].close()


class Ill(http.server.BaseHTTPRequestHandler):
    """A backend that says it is ill, or well."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_one_health_check_that_is_answered_with_no_success_ejects_and_the_real_envoy_counts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ill) as backend:
        threading.Thread(target=backend.serve_forever, daemon=True).start()
        port, admin_port = free_port(), free_port()
        ports = ["--port", str(port), "--admin-port", str(admin_port), "--backend", f"127.0.0.1:{backend.server_port}"]
        with program(
            PERFDB, "serve", "balancer", *ports, cwd=tmp_path, env={**os.environ, "PERFDB_ROOT": str(tmp_path)}
        ):
            admin = balancer.Admin(("127.0.0.1", admin_port))
            within(30, lambda: [well for _, well in (admin.backends() or {}).values()] == [True])
            before = admin.counters()
            monkeypatch.setattr(Ill, "status", 503)
            after = within(10, lambda: (now := admin.counters())["health_refusals"] > before["health_refusals"] and now)
            assert [well for _, well in admin.backends().values()] == [False]
        backend.shutdown()
    assert (after["health_failures"], after["health_refusals"]) == (1, 1)
    assert after["membership_changes"] == before["membership_changes"]


def test_a_load_is_over_once_every_client_has_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "line", lambda line: None)
    heard: queue.Queue[tuple[str, float | None]] = queue.Queue()
    says = [
        *({"kind": "begin", "client": n, "clients": 2, "begin_at": 5.0} for n in range(2)),
        *({"kind": "counts", "client": n, "window": window} for n in range(2) for window in ("steady", "all")),
    ]
    for upto, expected in ((3, 0), (4, 0), (5, 1)):
        watched._pass_on([json.dumps(one).encode() for one in says[:upto]], heard)
        assert [heard.get() for _ in range(heard.qsize())].count(("over", None)) == expected


def test_a_watcher_that_is_killed_takes_the_load_with_it(lean: Here) -> None:
    with begun(lean.url, lean.spec(shape="open", requests_grid="20", steady_s=60)) as process:
        assert process.stdout is not None
        assert any('"progress"' in line for line in process.stdout)
        clients = psutil.Process(process.pid).children()
        process.kill()
        assert psutil.wait_procs(clients, timeout=10)[1] == []


def test_a_load_that_is_told_to_stop_says_what_it_knows(lean: Here) -> None:
    spec = lean.spec(shape="open", requests_grid="20", steady_s=60)
    with begun(lean.url, spec) as process:
        assert process.stdout is not None
        said = [line for line, _ in zip(process.stdout, range(10), strict=False)]
        process.send_signal(signal.SIGTERM)
        said += process.stdout
        assert process.wait(20) == 0
    kinds = [line.rpartition('"kind":"')[2].partition('"')[0] for line in said]
    assert {"end", "rows", "balancer"} <= set(kinds)
    assert kinds[-1] == "passed"
    assert '"outcome":"stopped"' in "".join(said)


def test_a_command_that_outlives_the_load_is_ended(lean: Here, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    lingering = f'{sys.executable} -c \'import os, time; open("{mark}", "w").write(str(os.getpid())); time.sleep(600)\''
    spec = lean.spec(shape="open", requests_grid="20", steady_s=0.6, fault_after=0.1, fault_command=lingering)
    began = time.monotonic()
    measured, _ = run(lean.url, spec)
    assert time.monotonic() - began < 30
    assert "could not be run, or did not end" in failed(measured)["fault_happened"]
    assert not psutil.pid_exists(int(mark.read_text()))


def test_the_command_of_a_record_is_none_to_run() -> None:
    spec = ScalingSpec(shape="open", fault_after=1, fault_command=NOT_KEPT)
    with pytest.raises(UsageError, match="does not keep the command of its fault"):
        next(measure(StandInLab("http://127.0.0.1:1"), spec))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"fault_after": 1}, "--fault-after and --fault-command go together"),
        ({"fault_after": 1, "fault_command": "kill 1"}, "a fault needs --shape open or closed"),
        (
            {"fault_after": 10, "fault_command": "kill 1", "shape": "open"},
            "not within the steady part of a load, 0 to 10 s",
        ),
        ({"fault_after": 1, "fault_command": "kill '1", "shape": "open"}, "it is no command"),
        ({"fault_after": 1, "fault_command": "", "shape": "open"}, "it is a command such as"),
        ({"fault_after": 1, "fault_command": "a", "shape": "open", "bisect_to": 999}, "no ceiling to search"),
        ({"admin": "no port"}, "no address with a port"),
        ({"admin": "a b:1"}, "no address and no host's name"),
        ({"most_spread": 0}, "greater than 0"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ScalingSpec(**given)
