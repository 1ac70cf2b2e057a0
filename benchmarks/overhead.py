"""Does perfdb disturb what it measures? Bare parsl-perf against ours, in turn; our CPU meanwhile; the time we add."""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from pairs import abba, ratio_interval

from perfdb.families.throughput.parse import parse
from perfdb.processes.log import Line

BIN = Path(sys.executable).parent
CONFIGS = Path(__file__).resolve().parents[1] / "parsl-configs"
FEWEST_PAIRS, MOST_PAIRS = 5, 20
WIDEST = 0.03


def environment(folder: Path) -> dict[str, str]:
    """Ours with its programs first, and a registry that goes with the folder."""
    kept = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    return {**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PERFDB_ROOT": str(folder)}


def bare(config: str, options: list[str], folder: Path) -> tuple[float, float]:
    """Warm tasks/s and wall seconds of parsl-perf by itself."""
    begun = time.monotonic()
    command = [str(BIN / "parsl-perf"), "--config", str(CONFIGS / config), *options]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=True)
    wall_s = time.monotonic() - begun
    output = parse([Line(0.0, "stdout", text) for text in done.stdout.splitlines()])
    assert output.complete, output
    warm = output.iterations[1:]
    return sum(i.task_count for i in warm) / sum(i.run_s for i in warm), wall_s


def ours(config: str, options: list[str], folder: Path) -> tuple[float, float, float]:
    """Warm tasks/s, wall seconds, and the share of a core that our process used while the child measured."""
    begun = time.monotonic()
    command = [str(BIN / "run-parsl-perf.py"), str(CONFIGS / config), *options]
    command += ["--reps", "1", "--no-probe", "--no-server", "--json"]
    with (
        tempfile.TemporaryFile("w+") as answer,
        subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdout=answer, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        marks = []
        assert process.stderr is not None
        for line in process.stderr:
            if re.search(r"rep-1: (iteration [2-9]|.* tasks/s)", line):
                times = psutil.Process(process.pid).cpu_times()
                marks.append((time.monotonic(), times.user + times.system))
        assert process.wait() in (0, 4), process.returncode
        wall_s = time.monotonic() - begun
        answer.seek(0)
        record = json.load(answer)
    rate = next(m["values"][0] for m in record["metrics"] if m["name"] == "warm_tasks_per_s")
    (first_s, first_cpu), (last_s, last_cpu) = marks[0], marks[-1]
    return rate, wall_s, (last_cpu - first_cpu) / (last_s - first_s)


def rates(time_s: float, folder: Path) -> bool:
    """Pair by pair until the interval is narrow enough."""
    options = ["--time", f"{time_s:g}"]
    with_us: list[float] = []
    without: list[float] = []
    cpu: list[float] = []
    for order in abba(MOST_PAIRS):
        for arm in order:
            if arm == "A":
                rate, _, share = ours("local_htex.py", options, folder)
                with_us.append(rate)
                cpu.append(share)
            else:
                without.append(bare("local_htex.py", options, folder)[0])
        print(
            f"pair {len(cpu)}: ours {with_us[-1]:.1f}, bare {without[-1]:.1f} tasks/s, our CPU {cpu[-1]:.3%}",
            flush=True,
        )
        if len(cpu) >= FEWEST_PAIRS:
            ratio, low, high = ratio_interval(with_us, without)
            if max(high / ratio, ratio / low) - 1 <= WIDEST:
                break
    ratio, low, high = ratio_interval(with_us, without)
    print(f"ratio ours/bare: {ratio:.4f}, 95 % interval {low:.4f} to {high:.4f}, {len(cpu)} pairs of {time_s:g} s")
    print(f"CPU of our process while the child measured: at most {max(cpu):.3%} of a core (bound 1 %)")
    narrow = max(high / ratio, ratio / low) - 1 <= WIDEST
    if not narrow:
        print(f"the interval is wider than ±{WIDEST:.0%}: this machine is too noisy now to tell")
    return narrow and low <= 1 <= high and 0.97 <= ratio <= 1.03 and max(cpu) <= 0.01


def wall(folder: Path) -> bool:
    """The same fixed work both ways; what we add, in units of importing MLflow and Parsl."""
    options = ["--iterate", "10,2000", "--time", "1"]
    added: list[float] = []
    imports: list[float] = []
    ours("local_threads.py", options, folder)  # the first one sets up the local database, once and for all
    for order in abba(6):
        took = {arm: (ours if arm == "A" else bare)("local_threads.py", options, folder)[1] for arm in order}
        added.append(took["A"] - took["B"])
        begun = time.monotonic()
        subprocess.run([sys.executable, "-c", "import mlflow, parsl"], check=True, capture_output=True)
        imports.append(time.monotonic() - begun)
    factor = statistics.median(added) / statistics.median(imports)
    print(
        f"wall time added: {statistics.median(added):.2f} s, median of {len(added)} "
        f"({min(added):.2f} to {max(added):.2f}); importing mlflow and parsl: {statistics.median(imports):.2f} s; "
        f"factor {factor:.2f} (bound 2)"
    )
    return factor <= 2


def main() -> int:
    """All three; 0 when every bound holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", type=float, default=10.0, help="seconds an iteration (default 10)")
    parser.add_argument("--only", choices=("rates", "wall"), help="one part alone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        held = [part(Path(folder)) for part in _parts(args)]
    return 0 if all(held) else 1


def _parts(args: argparse.Namespace) -> list:
    parts = {"wall": wall, "rates": lambda folder: rates(args.time, folder)}
    return [part for name, part in parts.items() if args.only in (None, name)]


if __name__ == "__main__":
    sys.exit(main())
