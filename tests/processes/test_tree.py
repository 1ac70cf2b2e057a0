"""No process of a run escapes, however it tries."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

from perfdb.processes.tree import MARKER, end_run, marked
from tests.processes.waiting import until

PLAIN = "import time; open(FILE, 'w').close(); time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {PLAIN}"
DAEMON = f"import os\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n{PLAIN}"


def start(run, path, source):
    subprocess.Popen([sys.executable, "-c", f"FILE = {str(path)!r}\n{source}"], env={**os.environ, MARKER: run})
    until(path.exists)


def test_every_process_of_a_run_is_found_and_ended(run, tmp_path):
    for name, source in (("plain", PLAIN), ("deaf", DEAF), ("daemon", DAEMON)):
        start(run, tmp_path / name, source)
    until(lambda: len(marked(run)) == 3)  # the daemon's parents are gone
    assert end_run(run, grace_s=0.5, patience_s=20)
    assert marked(run) == []


def test_another_runs_processes_are_left_alone(run, tmp_path):
    start(run, tmp_path / "plain", PLAIN)
    assert end_run(uuid.uuid4().hex, grace_s=0.1, patience_s=1)
    assert len(marked(run)) == 1


def test_a_run_without_processes_is_over_at_once():
    assert end_run(uuid.uuid4().hex, grace_s=60, patience_s=60)
