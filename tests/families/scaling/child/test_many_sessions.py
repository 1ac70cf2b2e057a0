"""As many sessions at once as one machine bears, counted by both sides."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

from perfdb.services.lean import Options
from tests.families.scaling.loads import Service, load

SESSIONS = 9000


@contextlib.contextmanager
def lean() -> Iterator[Service]:
    """The lean server on a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "perfdb.services.lean", Options(port=port, capacity=SESSIONS).to_json()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        there = Service(f"http://127.0.0.1:{port}")
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    urllib.request.urlopen(f"{there.url}/health", timeout=5).close()
                    break
                except OSError:
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            yield there
        finally:
            process.terminate()


@pytest.mark.drill
@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[1] < SESSIONS + 200, reason="so many files may not be open here"
)
def test_nine_thousand_sessions_are_open_at_once():
    with lean() as there:
        merged = load(
            there.url, shape="barrier", sessions=SESSIONS, ramp_s=9.0, settle_s=3.0, wait_s=2.0, timeout_s=60.0
        )
        stats = there.stats()
    print(json.dumps({"server": stats, "steps in flight at most": merged.steps.peak, "client CPU s": merged.cpu_s}))
    assert merged.all == {"ok": SESSIONS}
    assert merged.sessions.at(11.99) == merged.sessions.peak == stats["sessions_peak"] == SESSIONS
    assert merged.steps.at(11.99) == 0
    assert merged.steps.peak <= stats["steps_total"] == SESSIONS
