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
def test_nine_thousand_sessions_are_open_at_once(drill_share: float):
    sessions = round(SESSIONS * drill_share)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < sessions + 200:
        pytest.skip("so many files may not be open here")
    ramp_s, settle_s = sessions / 1000, 1 + 2 * drill_share
    with lean() as there:
        merged = load(
            there.url,
            shape="barrier",
            sessions=sessions,
            ramp_s=ramp_s,
            settle_s=settle_s,
            wait_s=2.0,
            timeout_s=60.0,
        )
        stats = there.stats()
    before = ramp_s + settle_s - 0.01
    print(json.dumps({"server": stats, "steps in flight at most": merged.steps.peak, "client CPU s": merged.cpu_s}))
    assert merged.all == {"ok": sessions}
    assert merged.sessions.at(before) == merged.sessions.peak == stats["sessions_peak"] == sessions
    assert merged.steps.at(before) == 0
    assert merged.steps.peak <= stats["steps_total"] == sessions
