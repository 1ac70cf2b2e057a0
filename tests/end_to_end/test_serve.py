"""`perfdb serve multi` and the runbook's own checks of it, typed into a shell as they stand there."""

from __future__ import annotations

import os
import signal
import subprocess

import pyarrow.parquet

from perfdb.services.addresses import Address, check_free
from tests.end_to_end.conftest import BIN, Home
from tests.services.serving import family, gone, multi, within

# The four checks; the ports are the test's own, and perfdb stands where the runbook's own client stood.
PRE_FLIGHT = """\
source openenv-connection.env

echo "=== Pre-flight checks for multi-node experiment ==="

echo "1. Checking worker node health..."
for node in $WORKER_NODES; do
    if curl -s "http://${node}:PORT/health" > /dev/null; then
        echo "   [OK] $node is healthy"
    else
        echo "   [FAIL] $node is NOT responding!"
        exit 1
    fi
done

echo "2. Checking Envoy health..."
if curl -s "$OPENENV_URL/health" > /dev/null; then
    echo "   [OK] Envoy at $OPENENV_URL is healthy"
else
    echo "   [FAIL] Envoy is NOT responding!"
    exit 1
fi

echo "3. Checking Envoy backend health..."
curl -s "http://${ENVOY_NODE}:ADMIN/clusters" | grep -E "openenv_cluster.*health"

echo "4. Testing load distribution (should see $NUM_WORKERS hosts)..."
perfdb run scaling \\
    --url $OPENENV_URL \\
    -n 100 \\
    --wait 0.1 \\
    --expected-hosts $NUM_WORKERS \\
    --require-hosts \\
    --no-server || exit

echo "=== All pre-flight checks PASSED ==="
"""


def test_the_runbooks_pre_flight_checks_pass_and_sigterm_leaves_nothing(home: Home) -> None:
    with multi(home.root, "--backends", "3", "--lean") as (running, told):
        listener, admin = (Address.parsed(told[name].removeprefix("http://")) for name in ("url", "admin"))
        everything = family(running.pid)
        script = PRE_FLIGHT.replace("PORT", str(listener.port)).replace("ADMIN", str(admin.port))
        environment = {**home.environment, "PATH": f"{BIN}:{os.environ['PATH']}"}
        argv = ["bash", "-c", script]
        done = subprocess.run(
            argv, cwd=home.root, env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
        assert running.returncode == 0
        within(10, lambda: gone(everything))
    assert [line.split()[1] for line in done.stdout.splitlines() if "[OK]" in line] == [
        "127.0.0.2",
        "127.0.0.3",
        "127.0.0.4",
        "Envoy",
    ]
    assert done.stdout.count("health_flags::healthy") == 3
    assert done.stdout.endswith("=== All pre-flight checks PASSED ===\n")
    assert home.processes() == []
    for address in (listener, admin, *(Address(f"127.0.0.{number}", listener.port) for number in (2, 3, 4))):
        check_free(address)
    (record,) = home.records()
    assert record["status"] == "ok"
    (folder,) = home.folders
    rows = pyarrow.parquet.read_table(folder / "samples.parquet").to_pylist()
    for repetition in (1, 2, 3):
        hosts = [row["count"] for row in rows if row["quantity"] == "host" and row["repetition"] == repetition]
        assert len(hosts) == 3
        assert sum(hosts) == 100
