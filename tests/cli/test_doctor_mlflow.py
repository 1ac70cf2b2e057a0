"""`perfdb doctor mlflow`: the local database by a real MLflow, a group's server by a stand-in."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from perfdb.cli.doctor.mirror import without_host
from perfdb.tracking.admission import knock

PERFDB = str(Path(sys.executable).parent / "perfdb")
CHECKOUT = Path(__file__).resolve().parents[2]
# Made up, and nobody's.
USER, PASSWORD = "zaphodbeeble", "fake-hunter/2@x"
SIGNED = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def run(root: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A command in a root of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PERFDB_", "MLFLOW_"))}
    environment = {**kept, "HOME": str(root), "PERFDB_ROOT": str(root), **env}
    return subprocess.run(
        [PERFDB, *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def points(root: Path, **env: str) -> dict[str, Any]:
    """The lines about MLflow."""
    return {point["name"]: point for point in json.loads(run(root, "doctor", "mlflow", "--json", **env).stdout)}


class StandIn(BaseHTTPRequestHandler):
    """A stand-in for MLflow's server with users: the real one takes ten seconds to start, and has its tests elsewhere."""

    heard: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.heard.append(self.headers["Authorization"])
        signed = self.headers["Authorization"] == SIGNED
        if self.path.startswith("/elsewhere"):
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/else")  # type: ignore[attr-defined]
        elif self.path.startswith("/forbidden"):
            self.send_response(403)
        elif self.path.startswith("/api/2.0/mlflow/experiments/search"):
            self.send_response(200 if signed else 401)
        else:
            self.send_response(200)
        self.end_headers()
        self.wfile.write(
            b"3.17.2" if self.path == "/version" else b"{}" if self.path.startswith("/api/2.0") else b"<html>"
        )

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def group_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    StandIn.heard.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), StandIn) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_lets_in_whom_it_knows_and_says_its_version(group_server: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", USER)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
    found = knock(f"http://{group_server}", 10)
    assert (found.outcome, found.version) == ("in", "3.17.2")


def test_credentials_in_the_address_and_in_mlflows_file_count_too(group_server: str, tmp_path: Path) -> None:
    assert knock(f"http://{USER}:fake-hunter%2F2%40x@{group_server}/", 10).outcome == "in"
    (tmp_path / ".mlflow").mkdir()
    stored = f"[mlflow]\nmlflow_tracking_username = {USER}\nmlflow_tracking_password = {PASSWORD}\n"
    (tmp_path / ".mlflow" / "credentials").write_text(stored)
    assert knock(f"http://{group_server}", 10).outcome == "in"


def test_a_refusal_says_whether_it_is_who_we_are_or_what_we_may(group_server: str) -> None:
    assert knock(f"http://{group_server}", 10).outcome == "unknown"
    assert knock(f"http://{USER}:fake-hunter3@{group_server}", 10).outcome == "unknown"
    assert knock(f"http://{group_server}/forbidden", 10).outcome == "forbidden"


def test_what_is_no_mlflow_gets_no_credentials_by_sending_us_on(group_server: str) -> None:
    found = knock(f"http://{USER}:fake-hunter3@{group_server}/elsewhere", 10)
    assert found.outcome == "stranger"
    assert StandIn.heard[1:] == [None]


def test_a_server_that_is_down_or_refuses_is_to_be_fixed_and_no_password_is_told(
    group_server: str, tmp_path: Path
) -> None:
    for uri, words in (
        (f"http://{USER}:fake-hunter3@{group_server}", "the user and password that MLFLOW_TRACKING_URI holds"),
        (f"http://{group_server}", "MLFLOW_TRACKING_PASSWORD=…`"),
        (f"http://{group_server}/forbidden", "refuses us"),
        (f"http://{group_server}/x/y", "not as MLflow does"),
        (f"http://{USER}:fake-hunter3@127.0.0.1:9", "cannot be reached"),
        ("http://heartofgold.invalid:5000", "MLFLOW_TRACKING_URI"),
    ):
        done = run(tmp_path, "doctor", "mlflow", MLFLOW_TRACKING_URI=uri)
        assert done.returncode == 1
        assert "FIX   mlflow server" in done.stdout
        assert words in done.stdout
        assert not [secret for secret in ("fake-hunter3", USER, "heartofgold") if secret in done.stdout + done.stderr]


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("127.0.0.1:5000", "lacks its http://"),
        ("/tmp/mlruns", "`mlflow migrate-filestore`"),
        ("postgresql://zaphodbeeble:fake-hunter3@127.0.0.1:9/x", "cannot be reached"),
    ],
)
def test_an_address_at_which_no_mlflow_can_be_is_to_be_fixed(uri: str, words: str, tmp_path: Path) -> None:
    point = points(tmp_path, MLFLOW_TRACKING_URI=uri)["mlflow database"]
    assert point["status"] == "fix"
    assert words in point["found"]
    assert "fake-hunter3" not in str(point)


def test_a_database_that_is_a_folder_or_may_not_be_written_is_to_be_fixed(tmp_path: Path) -> None:
    database = tmp_path / ".perfdb" / "mlflow.db"
    database.mkdir(parents=True)
    assert "is a folder" in points(tmp_path)["mlflow database"]["found"]
    database.rmdir()
    with closing(sqlite3.connect(database)) as made:
        made.execute("CREATE TABLE some (thing)")
    database.chmod(0o444)
    # As an owner without root's privilege to write all the same.
    plain = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    env = {**os.environ, "PERFDB_ROOT": str(tmp_path)}
    argv = [*plain, PERFDB, "doctor", "mlflow", "--json"]
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    point = next(point for point in json.loads(done.stdout) if point["name"] == "mlflow database")
    assert (point["status"], point["found"]) == ("fix", ".perfdb/mlflow.db cannot be written")


def test_a_port_that_another_program_has_is_told_before_the_server_wants_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        point = points(tmp_path, PERFDB_SERVER_PORT=port)["mlflow server"]
    assert point["status"] == "fix"
    assert "PERFDB_SERVER_PORT" in point["fix"]


def test_a_file_of_certificates_that_is_not_there_is_to_be_fixed(group_server: str, tmp_path: Path) -> None:
    env = {"MLFLOW_TRACKING_URI": f"http://{group_server}", "MLFLOW_TRACKING_SERVER_CERT_PATH": "/nonexistent.pem"}
    assert "unset MLFLOW_TRACKING_SERVER_CERT_PATH" in points(tmp_path, **env)["mlflow server"]["fix"]


def test_a_refused_certificate_does_not_give_its_server_away() -> None:
    assert without_host("is not valid for 'heartofgold.org'", "heartofgold.org") == "is not valid for 'its host'"


@pytest.fixture(scope="module")
def shown_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root whose one record is in a database that MLflow made."""
    root = tmp_path_factory.mktemp("shown")
    record = sorted((CHECKOUT / "mlruns").glob("*/*/*/*/record.json"))[0].parent
    shutil.copytree(record, root / "mlruns" / record.relative_to(CHECKOUT / "mlruns"))
    before = points(root)
    assert before["mlflow backlog"]["found"].startswith("1 of 1 record not shown")
    assert before["mlflow backlog"]["fix"] == "perfdb sync"
    done = run(root, "sync")
    assert done.returncode == 0, done.stderr
    return root


def set_revision(root: Path, revision: str) -> str:
    """Have MLflow's database say that it is at another revision; the one before."""
    with closing(sqlite3.connect(root / ".perfdb" / "mlflow.db")) as database, database:
        (before,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    return str(before)


def test_a_record_that_was_sent_is_no_backlog_and_its_database_is_of_this_mlflows_age(shown_root: Path) -> None:
    found = points(shown_root)
    assert found["mlflow backlog"]["found"] == "none: 1 record, all shown"
    assert "of this MLflow's age" in found["mlflow database"]["found"]


@pytest.mark.parametrize(("revision", "word"), [("451aebb31d03", "an older"), ("ffffffffffff", "a newer")])
def test_a_database_of_another_age_is_to_be_fixed(shown_root: Path, revision: str, word: str) -> None:
    before = set_revision(shown_root, revision)  # 451aebb31d03 is the first that MLflow ever had
    try:
        point = points(shown_root)["mlflow database"]
    finally:
        set_revision(shown_root, before)
    assert point["status"] == "fix"
    assert f"{word} MLflow" in point["found"]
    assert "mv .perfdb/mlflow.db" in point["fix"]


def test_a_damaged_database_is_to_be_fixed(tmp_path: Path) -> None:
    (tmp_path / ".perfdb").mkdir()
    (tmp_path / ".perfdb" / "mlflow.db").write_bytes(b"no database" * 500)
    done = run(tmp_path, "doctor", "mlflow")
    assert done.returncode == 1
    assert "FIX   mlflow database" in done.stdout
    assert "perfdb sync" in done.stdout
