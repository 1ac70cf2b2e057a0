"""Real commands in a fresh root: real parsl-perf, real workers, real MLflow."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from perfdb.processes.state_folder import make_state_folder
from perfdb.tracking import Target

BIN = Path(sys.executable).parent
CHECKOUT = Path(__file__).resolve().parents[2]
THREADS = str(CHECKOUT / "parsl-configs" / "local_threads.py")
HTEX = str(CHECKOUT / "parsl-configs" / "local_htex.py")
# Long enough to be valid, short enough to be many.
QUICK = ("--time", "1.5", "--reps", "1", "--no-server")
# Nobody listens there: what is written is a warning and no run.
NO_MLFLOW = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}


def nothing_done(unchanged: int) -> dict[str, Any]:
    """What `perfdb sync --json` says where so many records are in MLflow, and all of each."""
    nothing = dict.fromkeys(("sent", "charted", "waiting", "elsewhere"), 0)
    return {"recovered": [], "troubles": [], "unchanged": unchanged, **nothing}


@dataclass
class Home:
    """A root of its own, with its registry, state and MLflow database."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment that commands get."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PERFDB_", "MLFLOW_"))}
        return {**kept, "PERFDB_ROOT": str(self.root), **self.env}

    def run(self, command: str, *arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """Run an installed command to its end."""
        return subprocess.run(
            [str(BIN / command), *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def start(self, command: str, *arguments: str, log: str = "started.log") -> subprocess.Popen[bytes]:
        """Start one and go on; what it prints goes to a file."""
        with (self.root / log).open("wb") as file:
            return subprocess.Popen(
                [str(BIN / command), *arguments],
                cwd=self.root,
                env=self.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                # A test runner in the background would hand down an ignored SIGINT.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
            )

    def perf(self, *arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """`run-parsl-perf.py`."""
        return self.run("run-parsl-perf.py", *arguments, timeout=timeout)

    def perfdb(self, *arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """`perfdb`."""
        return self.run("perfdb", *arguments, timeout=timeout)

    @property
    def folders(self) -> list[Path]:
        """The records' folders."""
        return sorted(path.parent for path in self.root.glob("mlruns/*/*/*/*/record.json"))

    def records(self) -> list[dict[str, Any]]:
        """The records, as they stand on disk."""
        return [json.loads((folder / "record.json").read_bytes()) for folder in self.folders]

    def journals(self) -> list[Path]:
        """Runs in progress, or left behind."""
        return sorted((self.root / ".perfdb" / "journal").glob("[0-9a-f]*"))

    def supervisors(self) -> list[psutil.Process]:
        """The supervisors among them."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if "perfdb.processes.supervisor" in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def processes(self) -> list[psutil.Process]:
        """Every process that works for this root: they all inherit it."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                # Some rename themselves and lose their environment with it; their folder tells them then.
                if process.environ().get("PERFDB_ROOT") == str(self.root) or process.cwd().startswith(str(self.root)):
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found


@contextlib.contextmanager
def home_at(root: Path, database: Path | None = None) -> Iterator[Home]:
    """A fresh root. Whatever is left running when its user fails or is done is ended.

    Args:
        database: A copy of it spares the root's first command the making of its own.
    """
    made = Home(root)
    if database is not None:
        make_state_folder(root / ".perfdb")
        shutil.copyfile(database, root / ".perfdb" / "mlflow.db")
    try:
        yield made
    finally:
        left = made.processes()
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=10)


# In a process of its own, so that MLflow is not imported into this one.
MAKE_DATABASE = """
import json, sys
from perfdb.tracking.door import connect, import_mlflow
from perfdb.tracking.target import Target
target = Target(**json.loads(sys.argv[1]))
import_mlflow(target, timeout_s=10, retries=1)
connect(target, wait_s=10)
"""


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local MLflow database as perfdb makes it for a fresh root. Its making takes seconds; a copy takes none."""
    state = tmp_path_factory.mktemp("empty")
    target = Target(f"sqlite:///{state / 'mlflow.db'}", str(state / "mlartifacts"), str(state))
    told = json.dumps(target.document())
    subprocess.run([sys.executable, "-c", MAKE_DATABASE, told], cwd=state, check=True, timeout=120)
    assert target.database is not None
    return target.database


@pytest.fixture
def home(tmp_path: Path, empty_database: Path) -> Iterator[Home]:
    """A root of the test's own; a module's tests that look at the same run share one of `home_at`."""
    with home_at(tmp_path, empty_database) as made:
        yield made


@pytest.fixture
def unmirrored(home: Home) -> None:
    """MLflow refuses at once: for what is no matter of MLflow's, which takes seconds of every command."""
    home.env |= NO_MLFLOW


@pytest.fixture
def untouched(tmp_path: Path) -> Iterator[Home]:
    """A root without a database yet, for what is about its making or its absence."""
    with home_at(tmp_path) as made:
        yield made


def wait_for_line(process: subprocess.Popen[bytes], log: Path, text: str) -> None:
    """Return once `text` stands in the log; fail when the process ends before."""
    import time

    while text not in log.read_text(errors="replace"):
        assert process.poll() is None, log.read_text(errors="replace")
        time.sleep(0.02)  # a file tells nobody that it grew
