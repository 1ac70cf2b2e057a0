"""Does the load client measure the service or itself? Beside k6 and a client that gathers all sessions in one go, on one server.

Sessions of the benchmark environment's protocol with a step of one second, against the lean server. Ours and k6 begin them at
a constant rate and count from the schedule; the other begins as many as ours has under way at once. A B B A.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil
from pairs import abba

from perfdb.families import scaling
from perfdb.families.scaling.clients.answers import read_answers
from perfdb.families.scaling.clients.merge import merge
from perfdb.families.scaling.clients.saturation import Limits, why_saturated
from perfdb.families.scaling.plan import LoadPlan
from perfdb.processes.log import Line
from perfdb.services.lean import Options

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
CLIENT = Path(scaling.__file__).parent / "child" / "program.py"
WAIT_S = 1.0
SATURATED = "SATURATED"
# The longest p99 at each rate, unless the client says itself that it was saturated.
BOUNDS_S = {300: 1.05, 600: 1.10, 900: 1.25}
LEAST_SESSIONS_RATIO = 2.0
MOST_CPU_RATIO = 1.5
GATHERED = (10, 20, 40, 80, 160, 320, 640, 1280)


@dataclass(frozen=True)
class Outcome:
    """One load: CPU milliseconds for each session, p99 in seconds from the schedule, and what is to be said of it."""

    sessions: int
    cpu_ms: float
    p99_s: float
    says: str = ""

    @property
    def error_s(self) -> float:
        """By how much the p99 is off: the step takes a second."""
        return self.p99_s - WAIT_S


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The lean server on a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "perfdb.services.lean", Options(port=port).to_json()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + 10
            while True:
                try:
                    urllib.request.urlopen(f"{url}/health", timeout=5).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)
            yield url
        finally:
            process.terminate()


def ours(url: str, rate: int, seconds: int) -> Outcome:
    """One process."""
    plan = LoadPlan(url=url, shape="open", rate=rate, wait_s=WAIT_S, steady_s=seconds)
    return _ours(plan)


def our_burst(url: str, sessions: int) -> Outcome:
    """One process, all at once."""
    return _ours(LoadPlan(url=url, shape="burst", sessions=sessions, wait_s=WAIT_S))


def _ours(plan: LoadPlan) -> Outcome:
    env = {**os.environ, "PERFDB_LOAD_PLAN": plan.model_dump_json(), "PERFDB_HOST_KEY": "benchmark"}
    done = subprocess.run(
        [sys.executable, str(CLIENT), "0", "1"], env=env, capture_output=True, text=True, check=True, timeout=120
    )
    load = merge(read_answers(tuple(Line(0.0, "stdout", text) for text in done.stdout.splitlines())))
    sessions = sum(load.all.values())
    assert load.complete, done.stderr
    assert load.send_lag is not None
    p99_s = load.latencies["total"].all_s(0.99)
    why = why_saturated(load, Limits())
    says = f"send lag p99 {load.send_lag.p99_s * 1e3:.1f} ms, busiest second {load.highest_cpu_share:.0%} of a core"
    return Outcome(
        sessions,
        load.cpu_s / sessions * 1e3,
        math.inf if p99_s is None else p99_s,
        f"{SATURATED}: {'; '.join(why)}" if why else says,
    )


def k6(url: str, rate: int, seconds: int) -> Outcome:
    """k6, with as many users as can be needed. What it takes to prepare them is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        env = {"URL": f"ws{url[4:]}", "RATE": str(rate), "SECONDS": str(seconds), "WAIT": f"{WAIT_S:g}"}
        env["USERS"] = str(rate * 2)
        command = [str(BIN / "k6"), "run", "--quiet", "--no-usage-report", "--summary-export", str(summary)]
        with subprocess.Popen(
            [*command, "--log-format", "raw", str(HERE / "k6_sessions.js")],
            env={**os.environ, **env, "K6_NO_COLOR": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            before = 0.0
            for line in process.stderr:
                if "users are ready" in line:
                    used = psutil.Process(process.pid).cpu_times()
                    before = used.user + used.system
            _, status, used_all = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        metrics = json.loads(summary.read_text())["metrics"]
    sessions = int(metrics["good"]["count"])
    dropped = int(metrics.get("dropped_iterations", {}).get("count", 0))
    cpu_s = used_all.ru_utime + used_all.ru_stime - before
    return Outcome(sessions, cpu_s / sessions * 1e3, metrics["answered"]["p(99)"] / 1e3, f"dropped {dropped}")


def gathered(url: str, sessions: int) -> Outcome:
    """The client with one gather."""
    command = [sys.executable, str(HERE / "gather_client.py"), url, str(sessions), str(WAIT_S)]
    done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    return Outcome(done["ok"], done["cpu_s"] / max(1, done["ok"]) * 1e3, done["p99_s"])


def sessions_at(outcomes: Sequence[tuple[int, float]], error_s: float) -> float:
    """How many sessions go with that error, interpolated between those that were tried, on logarithms.

    With the fewest that were tried where even they are further off.
    """
    fits = float(outcomes[0][0])
    for (few, low), (many, high) in pairwise(outcomes):
        if low <= error_s:
            part = 1.0 if high <= low else min(1.0, (error_s - low) / (high - low))
            fits = few * (many / few) ** part
    return fits


def tell(arm: str, load: str, outcome: Outcome) -> None:
    """One line."""
    print(
        f"  {arm:14} {load:14} {outcome.sessions:6d} sessions  {outcome.cpu_ms:6.3f} ms CPU each  p99 {outcome.p99_s:.3f} s  {outcome.says}",
        flush=True,
    )


def median(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """CPU milliseconds for each session, and the p99's error in seconds."""
    return statistics.median(o.cpu_ms for o in outcomes), statistics.median(o.error_s for o in outcomes)


def kept_up(outcome: Outcome, bound_s: float, excused: bool) -> bool:
    """Whether it measured as it should, or said itself that it could not."""
    saturated = outcome.says.startswith(SATURATED)
    return (saturated and excused) or (outcome.p99_s <= bound_s and not saturated)


def at_rates(url: str, rates: Sequence[int], seconds: int, pairs: int) -> tuple[bool, dict[int, tuple[float, float]]]:
    """Ours and k6 at each rate, in turns; whether all bounds hold, and ours' medians."""
    good = True
    found = {}
    for rate in rates:
        arms: dict[str, list[Outcome]] = {"A": [], "B": []}
        for order in abba(pairs):
            for arm in order:
                outcome = ours(url, rate, seconds) if arm == "A" else k6(url, rate, seconds)
                tell("ours" if arm == "A" else "k6", f"{rate}/s", outcome)
                arms[arm].append(outcome)
        mine, its = median(arms["A"]), median(arms["B"])
        found[rate] = mine
        bound = BOUNDS_S.get(rate)
        within = bound is None or all(kept_up(o, bound, excused=rate > min(BOUNDS_S)) for o in arms["A"])
        ratio = mine[0] / its[0]
        cheap = ratio <= MOST_CPU_RATIO
        good &= within and cheap
        print(
            f"{rate}/s: p99 {WAIT_S + mine[1]:.3f} s (bound {bound} s: {verdict(within)}), k6 {WAIT_S + its[1]:.3f} s; CPU for each "
            f"session ours / k6 = {ratio:.2f} (bound {MOST_CPU_RATIO}: {verdict(cheap)})"
        )
    return good, found


def against_gather(url: str, found: dict[int, tuple[float, float]], most: int) -> bool:
    """How many sessions the client with one gather has at ours' error, alone and beside a burst of ours."""
    grid = [n for n in GATHERED if n <= most]
    errors: dict[str, list[tuple[int, float]]] = {"gather": [], "ours": []}
    for sessions in grid:
        arms: dict[str, list[Outcome]] = {"A": [], "B": []}
        for order in abba(2):
            for arm in order:
                outcome = our_burst(url, sessions) if arm == "A" else gathered(url, sessions)
                tell("ours, burst" if arm == "A" else "one gather", f"{sessions} at once", outcome)
                arms[arm].append(outcome)
        errors["ours"].append((sessions, median(arms["A"])[1]))
        errors["gather"].append((sessions, median(arms["B"])[1]))
    good = True
    for rate, (_, error_s) in found.items():
        others = sessions_at(errors["gather"], error_s)
        ratio = rate * (WAIT_S + error_s) / others
        good &= ratio >= LEAST_SESSIONS_RATIO
        print(
            f"p99 off by {error_s * 1e3:.0f} ms: ours has {rate * (WAIT_S + error_s):.0f} sessions under way on one core, one gather "
            f"{others:.0f}: {ratio:.1f} times as many (bound {LEAST_SESSIONS_RATIO}: {verdict(ratio >= LEAST_SESSIONS_RATIO)})"
        )
    for sessions, error_s in errors["gather"]:
        mine = sessions_at(errors["ours"], error_s)
        print(f"burst, p99 off by {error_s * 1e3:.0f} ms: one gather {sessions}, a burst of ours {mine:.0f}")
    return good


def verdict(holds: bool) -> str:
    """In a word."""
    return "ok" if holds else "BROKEN"


def main() -> int:
    """0 when every ratio is within its bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="*", default=list(BOUNDS_S), help="sessions a second")
    parser.add_argument("--seconds", type=int, default=10, help="length of each load")
    parser.add_argument("--pairs", type=int, default=2, help="pairs of ours and k6 at each rate")
    parser.add_argument("--most", type=int, default=GATHERED[-1], help="most sessions at once")
    asked = parser.parse_args()
    with server() as url:
        good, found = at_rates(url, asked.rates, asked.seconds, asked.pairs)
        good &= against_gather(url, found, asked.most)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
