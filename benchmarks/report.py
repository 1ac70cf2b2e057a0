"""A report of many records: how long it takes, how much memory, and how soon its first page is there in Chromium.

The records are made up (synthetic.py), each with three repetitions of three iterations and 1,000 samples.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import synthetic

BIN = Path(sys.executable).parent
RECORDS = 10_000
TIME_BOUND_S = 60.0
MEMORY_BOUND_BYTES = 1e9
PAGE_BOUND_BYTES = 2e6
OPEN_BOUND_S = 2.0
OPENINGS = 5


def resident_bytes(process: psutil.Process) -> int:
    """Of a process and all it started."""
    total = 0
    try:
        for each in [process, *process.children(recursive=True)]:
            total += each.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def measured(command: list[str], root: Path) -> tuple[float, int]:
    """Seconds that a command took, and the most memory that it and its children held together, asked ten times a second."""
    env = {**os.environ, "PERFDB_ROOT": str(root)}
    begun, most = time.perf_counter(), 0
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        most = max(most, resident_bytes(watched))
        time.sleep(0.1)
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return time.perf_counter() - begun, most


def opened(page: Path) -> list[float]:
    """Seconds from the start of the navigation to the end of loading, once each in so many fresh profiles."""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(OPENINGS):
            context = browser.new_context()
            tab = context.new_page()
            tab.goto(page.as_uri(), wait_until="load")
            found.append(tab.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000)
            context.close()
        browser.close()
    return found


def told(what: str, value: float, bound: float, unit: str) -> bool:
    """Print a figure beside its bound; whether it keeps it."""
    print(f"{what}: {value:.3g} {unit} (bound {bound:g} {unit})", flush=True)
    return value <= bound


def main() -> int:
    """All of it; 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        (root / "perfdb.toml").touch()
        synthetic.write_registry(root / "mlruns", (synthetic.whole(number) for number in range(records)))
        seconds, memory = measured([str(BIN / "perfdb"), "report", str(root / "site")], root)
        first = root / "site" / "index.html"
        openings = opened(first)
        kept = [
            told(f"report of {records} records", seconds, TIME_BOUND_S, "s"),
            told("its memory, both processes", memory / 1e9, MEMORY_BOUND_BYTES / 1e9, "GB"),
            told("its overview page", first.stat().st_size / 1e6, PAGE_BOUND_BYTES / 1e6, "MB"),
            told(f"which opens in, at worst of {OPENINGS}", max(openings), OPEN_BOUND_S, "s"),
        ]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
