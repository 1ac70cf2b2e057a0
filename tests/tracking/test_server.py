"""The local server's life, on a real server."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import asdict, replace

import psutil
import pytest

from perfdb.errors import RegistryError, TrackingError
from perfdb.processes.identity import ProcessIdentity
from perfdb.settings import Settings
from perfdb.tracking import run_url, server
from perfdb.tracking.group import end_group


def test_two_starts_at_once_on_a_fresh_folder_give_one_server_and_stop_ends_all_of_it(tmp_path):
    settings = Settings(root=tmp_path)
    neighbour = Settings(root=tmp_path / "neighbour")  # it wants the same port at the same time
    started: list[server.Server] = []
    threads = [threading.Thread(target=lambda: started.append(server.start(settings))) for _ in range(2)]
    threads.append(threading.Thread(target=server.start, args=(neighbour,)))
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert started[0] == started[1] == server.start(settings)
        assert server.status(neighbour).port != started[0].port
        family = psutil.Process(started[0].pid).children(recursive=True)
    finally:
        server.stop(neighbour)
        stopped = server.stop(settings)
    assert stopped
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)
    assert server.status(settings) is None
    assert not server.stop(settings)
    assert server.is_free(started[0].port)


def test_it_listens_on_this_host_alone(mlflow_server):
    addresses = {
        connection.laddr.ip
        for process in [psutil.Process(mlflow_server.pid), *psutil.Process(mlflow_server.pid).children(recursive=True)]
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("host", "status"), [("evil.example", 403), ("localhost:8899", 200), ("127.0.0.1.evil.example", 403)]
)
def test_a_foreign_host_name_is_refused_and_a_tunnels_port_is_not(mlflow_server, host, status):
    request = urllib.request.Request(
        f"{mlflow_server.url}/api/2.0/mlflow/experiments/get?experiment_id=0", headers={"Host": host}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            found = answer.status
    except urllib.error.HTTPError as error:
        found = error.code
    assert found == status


def test_workers_of_a_killed_server_are_found_and_ended(tmp_path):
    settings = Settings(root=tmp_path)
    settings.state_path.mkdir()
    listen = (
        "import os, socket, sys, time\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "if os.fork() == 0: time.sleep(99)\n"
        "print(server.getsockname()[1], flush=True)\n"
        "time.sleep(99)"
    )
    with subprocess.Popen([sys.executable, "-c", listen], stdout=subprocess.PIPE, start_new_session=True) as leader:
        port = int(leader.stdout.readline())
        known = {"port": port, "identity": asdict(ProcessIdentity.of(leader.pid))}
        (settings.state_path / "server.json").write_text(json.dumps(known))
        leader.kill()
    assert server.status(settings) is None
    assert not server.is_free(port)
    assert server.stop(settings)
    assert server.is_free(port)
    assert not server.stop(settings)


def test_a_process_that_only_got_the_number_is_never_ended(tmp_path):
    settings = Settings(root=tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        real = ProcessIdentity.of(bystander.pid)
        earlier = replace(real, started=real.started - 60)
        settings.state_path.mkdir()
        (settings.state_path / "server.json").write_text(json.dumps({"port": 5000, "identity": asdict(earlier)}))
        assert not server.stop(settings)
        assert bystander.poll() is None
        assert not (settings.state_path / "server.json").exists()
        bystander.communicate(b"\n")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": "x", "identity": {}}', '{"port": 1, "identity": 5}'])
def test_a_file_that_was_cut_off_counts_as_no_server(tmp_path, text):
    settings = Settings(root=tmp_path)
    settings.state_path.mkdir()
    (settings.state_path / "server.json").write_text(text)
    assert server.status(settings) is None


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TrackingError, match=f"port {port}.*is taken.*PERFDB_SERVER_PORT"):
            server.start(Settings(root=tmp_path, server_port=port))


def test_a_damaged_database_is_named_before_a_server_fails_on_it(tmp_path):
    settings = Settings(root=tmp_path)
    settings.state_path.mkdir()
    (settings.state_path / "mlflow.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(TrackingError, match=r"mlflow\.db is damaged.*`mv .*`perfdb sync`"):
        server.start(settings)


def test_a_state_folder_that_takes_no_more_files_is_named(tmp_path):
    (tmp_path / ".perfdb" / "server.log").mkdir(parents=True)  # it stands for any: root may write everywhere
    with pytest.raises(RegistryError, match=r"server\.log could not be written: .+ without a server\."):
        server.start(Settings(root=tmp_path))


def test_a_database_of_a_newer_mlflow_is_named_before_a_server_fails_on_it(tmp_path):
    settings = Settings(root=tmp_path)
    settings.state_path.mkdir()
    with closing(sqlite3.connect(settings.state_path / "mlflow.db")) as database, database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('fffffffffff0')")
    with pytest.raises(TrackingError, match=r"was made for a newer MLflow.*`mv "):
        server.start(settings)


def test_a_server_that_cannot_start_quotes_its_last_words_and_leaves_nothing(tmp_path):
    settings = Settings(root=tmp_path)
    settings.state_path.mkdir()
    with closing(sqlite3.connect(settings.state_path / "mlflow.db")) as database:
        database.execute("CREATE TABLE alembic_version (of_another_kind TEXT)")
    with pytest.raises(TrackingError, match=r"did not start.*server\.log"):
        server.start(settings)
    assert server.status(settings) is None


def test_a_group_that_ignores_the_polite_signal_is_made_to_end():
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(99)"
    with subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE, start_new_session=True) as process:
        process.stdout.readline()
        end_group(process.pid, grace_s=0.2)
        assert process.wait() == -9


def test_a_runs_address_can_be_printed_and_holds_no_password():
    url = run_url("https://fake-user:fake-pass@mlflow.example:5000/prefix/?token=fake", "1", "abc")
    assert url == "https://mlflow.example:5000/prefix/#/experiments/1/runs/abc?workflowType=machine_learning"


def test_a_runs_page_has_an_address():
    assert (
        run_url("http://127.0.0.1:5000/", "1", "abc")
        == "http://127.0.0.1:5000/#/experiments/1/runs/abc?workflowType=machine_learning"
    )
