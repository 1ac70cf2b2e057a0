"""A team's MLflow as deploy/team/ makes it: a real PostgreSQL on a socket of its own, and the server, from those files."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECIPE = Path(__file__).resolve().parents[2] / "deploy" / "team"
BIN = Path(sys.executable).parent
START_LIMIT_S = 120
# As Debian's package lays them; only the wrappers of some are on PATH.
POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), default=Path())
ADMIN, ADMIN_PASSWORD = "fake-admin", "FAKE-admin-password-1"
SIGNING_KEY = "FAKE-signing-key-2"


@contextlib.contextmanager
def postgres() -> Iterator[Path]:
    """A PostgreSQL that listens on a socket alone; yields the socket's folder.

    As on a Debian host, whoever comes by the socket is who the operating system says. Here one person is both
    `postgres` and `mlflow`. PostgreSQL refuses to run as root, who hands it to the user that the package made.
    """
    assert (POSTGRES / "initdb").exists(), "PostgreSQL is missing: tests/real_parts.sh installs it"
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a socket's path is short, and another user must reach it
    as_user: dict[str, Any] = {}
    if os.getuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    process = None
    try:
        data = folder / "data"
        make = [str(POSTGRES / "initdb"), "-D", str(data), "-U", "postgres", "--auth=peer", "--no-sync", "-E", "UTF8"]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "cwd": folder, **as_user}
        subprocess.run([*make, "--locale=C.UTF-8"], check=True, env={"PATH": os.environ["PATH"]}, **quiet)
        (data / "pg_hba.conf").write_text("local all all peer map=team\n")
        ours = pwd.getpwuid(os.getuid()).pw_name
        (data / "pg_ident.conf").write_text(f"team {ours} postgres\nteam {ours} mlflow\n")
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "shared_buffers": "16MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            command = [str(POSTGRES / "postgres"), "-D", str(data), *options]
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **as_user)
        deadline = time.monotonic() + START_LIMIT_S
        while subprocess.run(["pg_isready", "-q", "-h", str(folder)], check=False).returncode:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)  # it tells nobody that it is up
        yield folder
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # fast: it does not wait for those who are connected
            process.wait(30)
        shutil.rmtree(folder)


@dataclass
class Team:
    """The recipe's files, filled in for one folder, and the server that they start."""

    folder: Path
    sockets: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the server listens; a site has a proxy with TLS before it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Path:
        """The filled-in settings."""
        return self.folder / "team.env"

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.folder / "server.log"

    def fill_in(self) -> None:
        """Copy the recipe's examples, each place and each `change-me` of it replaced, as its README says."""
        places = {
            "/var/run/postgresql": str(self.sockets),
            "/srv/perfdb-team": str(self.folder),
            "MLFLOW_SERVER_ALLOWED_HOSTS=mlflow.example.org": f"MLFLOW_SERVER_ALLOWED_HOSTS=127.0.0.1:{self.port}",
            "https://mlflow.example.org": self.url,
            "MLFLOW_PORT=5000": f"MLFLOW_PORT={self.port}",
            "MLFLOW_WORKERS=2": "MLFLOW_WORKERS=1",
            "MLFLOW_FLASK_SERVER_SECRET_KEY=change-me": f"MLFLOW_FLASK_SERVER_SECRET_KEY={SIGNING_KEY}",
            "MLFLOW_AUTH_ADMIN_USERNAME=admin": f"MLFLOW_AUTH_ADMIN_USERNAME={ADMIN}",
            "MLFLOW_AUTH_ADMIN_PASSWORD=change-me": f"MLFLOW_AUTH_ADMIN_PASSWORD={ADMIN_PASSWORD}",
        }
        found = set()
        for name in ("team.env", "auth.ini"):
            text = (RECIPE / f"{name}.example").read_text()
            for place, ours in places.items():
                found |= {place} if place in text else set()
                text = text.replace(place, ours)
            (self.folder / name).write_text(text)
        assert found == places.keys()
        self.settings.chmod(0o600)

    def run(self, *command: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """One of the recipe's programs, or PostgreSQL's, to its end."""
        env = {**_clean(), "PGHOST": str(self.sockets), **environment}
        return subprocess.run(command, input=given, env=env, capture_output=True, text=True, timeout=120, check=False)

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`deploy/team/NAME` with the settings."""
        return self.run(str(RECIPE / name), str(self.settings), *arguments)

    def people(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """`people.py`, as the administrator."""
        signed_in = {"MLFLOW_TRACKING_USERNAME": ADMIN, "MLFLOW_TRACKING_PASSWORD": ADMIN_PASSWORD}
        program = str(RECIPE / "people.py")
        return self.run(sys.executable, program, *arguments, given=given, MLFLOW_TRACKING_URI=self.url, **signed_in)

    def make_databases(self) -> subprocess.CompletedProcess[str]:
        """What PostgreSQL's administrator does once."""
        sql = (RECIPE / "databases.sql").read_text()
        return self.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", given=sql)

    def start(self) -> None:
        """Start the server, and return once it answers."""
        with self.log.open("ab") as log:
            command = [str(RECIPE / "serve.sh"), str(self.settings)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=_clean(), start_new_session=True)
        deadline = time.monotonic() + START_LIMIT_S
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)  # a server that comes up tells nobody

    def stop(self) -> None:
        """End the server and its workers."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    def ask(self, user: str, password: str, path: str, question: dict[str, Any] | None = None) -> Any:
        """What the server answers this user: JSON, or a file's bytes.

        Raises:
            urllib.error.HTTPError: it refused.
        """
        signed = b64encode(f"{user}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {signed}", "Content-Type": "application/json"}
        data = json.dumps(question).encode() if question is not None else None
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers), timeout=30) as answer:
            told = answer.read()
            return json.loads(told) if answer.headers.get_content_type() == "application/json" and data else told

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                return True
        except OSError:
            return False


def _clean() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PERFDB_", "MLFLOW_", "PG"))}
    return {**kept, "PATH": f"{BIN}:{os.environ['PATH']}"}


@contextlib.contextmanager
def team_at(folder: Path) -> Iterator[Team]:
    """A fresh team server, with databases made and the server up."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    with postgres() as sockets:
        made = Team(folder, sockets, port)
        made.fill_in()
        done = made.make_databases()
        assert done.returncode == 0, done.stderr
        try:
            made.start()
            yield made
        finally:
            made.stop()
