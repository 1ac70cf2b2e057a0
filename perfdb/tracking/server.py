"""The local MLflow server: one for each state folder, on this host only, started once and found again.

.perfdb/server.json    which process it is and where it listens
.perfdb/server.log     what it printed
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from perfdb.errors import TrackingError
from perfdb.processes.identity import ProcessIdentity
from perfdb.processes.lock import Lock
from perfdb.processes.state_folder import make_state_folder
from perfdb.processes.tree import MARKER
from perfdb.registry.durable import cannot_write
from perfdb.settings import Settings
from perfdb.tracking.door import ENVIRONMENT, alone
from perfdb.tracking.faults import move_away, plain, trouble
from perfdb.tracking.group import end_group, listens, members_of
from perfdb.tracking.probe import answers, probe
from perfdb.tracking.schema import age_of_database
from perfdb.tracking.target import Target

HOST = "127.0.0.1"
FIRST_PORT = 5000
PORTS = 100
# Five seconds on two idle cores; a login node is neither idle nor quick to read from NFS.
START_LIMIT_S = 90.0
HEALTH_S = 1.0
STOP_GRACE_S = 5.0
POLL_S = 0.1
# Any port, as people reach it through an SSH tunnel from another one; only this host's names, against DNS rebinding.
ALLOWED_HOSTS = "localhost,localhost:*,127.0.0.1,127.0.0.1:*"
ALLOWED_ORIGINS = "http://localhost:*,http://127.0.0.1:*"


@dataclass(frozen=True)
class Server:
    """A server of ours."""

    port: int
    identity: ProcessIdentity

    @property
    def url(self) -> str:
        """Where a browser on this host finds it."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process, which leads its process group."""
        return self.identity.pid


# Without it, MLflow's pages open on their half about language models, where no run of ours is listed.
RUNS_VIEW = "?workflowType=machine_learning"


def run_url(server_url: str, experiment_id: str, run_id: str) -> str:
    """The page of one run in MLflow's UI, without the user and password that the server's address may hold."""
    parts = urlsplit(server_url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}{RUNS_VIEW}"


def status(settings: Settings) -> Server | None:
    """The server that runs for this state folder on this host, or None. What a dead one left is cleared away."""
    server = _known(settings)
    if server is None or not server.identity.is_here:
        return None
    with contextlib.suppress(ChildProcessError):
        os.waitpid(server.pid, os.WNOHANG)  # if it was our own child and is dead, bury it, or it seems alive
    if server.identity.alive():
        return server
    if not _orphans(server):
        with contextlib.suppress(OSError):  # in a folder that can't be written, it is cleared away another time
            _file(settings).unlink(missing_ok=True)
    return None


def start(settings: Settings) -> Server:
    """The running server, or a new one that answers. Two calls at once give one server.

    Raises:
        TrackingError: it did not start; names the log and quotes its last line.
        LockTimeout: another process has been starting one for too long.
        RegistryError: the state folder can't be written.
    """
    if (running := status(settings)) and _serves(running.pid, running.port):
        return running
    state = settings.state_path
    with Lock(state / "locks" / "server", START_LIMIT_S):
        if running := status(settings):
            if _wait_until_it_answers(running.pid, running.port):
                return running
            stop(settings)
        _end_orphans(settings)
        target = Target(settings.local_tracking_uri, str(state / "mlartifacts"), str(state))
        _check(target)
        # MLflow ruins a fresh database that two processes set up at once.
        fresh = not (state / "mlflow.db").exists()
        with alone(target, START_LIMIT_S) if fresh else contextlib.nullcontext():
            try:
                return _launch(settings, target)
            except OSError as error:
                path = Path(error.filename or state)
                raise cannot_write(path, error, "Runs are recorded without a server.") from error


def stop(settings: Settings) -> bool:
    """End the server and all its workers, also those whose server was killed; False where none ran. A process that only
    got its number is left alone."""
    server = status(settings)
    if server is None:
        return _end_orphans(settings)
    end_group(server.pid, grace_s=STOP_GRACE_S)
    _file(settings).unlink(missing_ok=True)
    return True


def _known(settings: Settings) -> Server | None:
    try:
        known = json.loads(_file(settings).read_bytes())
        return Server(int(known["port"]), ProcessIdentity(**known["identity"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # none was started, or its file was cut off by a crash


def _orphans(server: Server) -> bool:
    """Whether workers of a server that was killed still have its port: they don't end by themselves."""
    return listens(members_of(server.pid), server.port)


def _end_orphans(settings: Settings) -> bool:
    server = _known(settings)
    if server is None or not server.identity.is_here or server.identity.alive() or not _orphans(server):
        return False
    end_group(server.pid, grace_s=STOP_GRACE_S)
    _file(settings).unlink(missing_ok=True)
    return True


def _check(target: Target) -> None:
    """Refuse a database with which MLflow's server would end at once, its last words a link.

    Raises:
        TrackingError: it is damaged or of another MLflow.
    """
    if target.database is None or not target.database.is_file():
        return
    fault = probe(target, HEALTH_S)
    if fault and "locked" in fault:
        return  # by a sync, which ends
    if fault is None and target.database.stat().st_size:
        with contextlib.suppress(sqlite3.Error):  # the server says it in its own words
            if (age := age_of_database(target.database, wait_s=HEALTH_S)) in ("older", "newer"):
                which = "an older" if age == "older" else "a newer"
                fault = f"was made for {which} MLflow than the one here. {move_away(target.database)}"
    if fault:
        raise trouble(target.uri, fault)


def _launch(settings: Settings, target: Target) -> Server:
    log = settings.state_path / "server.log"
    for port in _ports(settings.server_port):
        process = _spawn(settings.state_path, target, port, log)
        identity = ProcessIdentity.of(process.pid)
        if identity is not None:
            # Known from its first moment: should we be interrupted here, the next command finds it.
            draft = _file(settings).with_suffix(".draft")
            try:
                draft.write_text(json.dumps({"port": port, "identity": asdict(identity)}))
                draft.replace(_file(settings))
            except OSError:
                end_group(process.pid, grace_s=STOP_GRACE_S)  # or nobody would ever find it
                raise
            if _wait_until_it_answers(identity.pid, port):
                return Server(port, identity)
        end_group(process.pid, grace_s=STOP_GRACE_S)
        process.wait()
        _file(settings).unlink(missing_ok=True)
        if is_free(port):
            break  # nobody took the port from us: another one would not help
    last = (log.read_text(errors="replace").strip().splitlines() or ["nothing"])[-1]
    raise TrackingError(
        f"the local MLflow server did not start; the last line it printed was: {plain(last)}. All of it is in {log}. "
        "Runs are recorded without it; then try `perfdb server start` again."
    )


def _spawn(state: Path, target: Target, port: int, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", target.uri, "--artifacts-destination", Path(target.artifact_root).as_uri()]
    command += ["--allowed-hosts", ALLOWED_HOSTS, "--cors-allowed-origins", ALLOWED_ORIGINS]
    environment = {name: value for name, value in os.environ.items() if name != MARKER}
    environment |= {**ENVIRONMENT, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    make_state_folder(state)
    with log.open("wb") as output:
        # The state folder is its own too: MLflow's defaults (./mlruns, ./mlartifacts) must not meet the registry.
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=state,
            env=environment,
            start_new_session=True,
        )


def _wait_until_it_answers(leader: int, port: int) -> bool:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and members_of(leader):
        if _serves(leader, port):
            return True
        time.sleep(POLL_S)  # a server that comes up tells nobody
    return False


def _serves(leader: int, port: int) -> bool:
    # Who answers on the port may be another server that was quicker: ours must listen there itself.
    return listens(members_of(leader), port) and answers(f"http://{HOST}:{port}", HEALTH_S)


def _ports(wanted: int) -> list[int]:
    """The ports to try: the wanted one alone, or the first few that are free from 5000 on."""
    if wanted:
        if not is_free(wanted):
            raise TrackingError(
                f"port {wanted}, where the local MLflow server should listen, is taken by another program. Set "
                "PERFDB_SERVER_PORT to a free port, or to 0 for the next free one."
            )
        return [wanted]
    free = (port for port in range(FIRST_PORT, FIRST_PORT + PORTS) if is_free(port))
    ports = [port for port, _ in zip(free, range(3), strict=False)]
    if not ports:
        raise TrackingError(
            f"no port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free for the local MLflow server. Set "
            "PERFDB_SERVER_PORT to a free one."
        )
    return ports


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just stopped is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _file(settings: Settings) -> Path:
    return settings.state_path / "server.json"
