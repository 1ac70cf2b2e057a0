"""Does the autoscale family measure what it says? Delays of known length are planted on a real Slurm, and looked for.

On a pocket cluster in cloud mode: cold rounds with a boot of 2 s and of 6 s. On a plain one, in turns: a plain config, and
the same with 3 s planted in worker_init, in a held job, and before a worker's first task. Each must show up in its own
stage within half a second, and no other stage may move by more than its own noise.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
NODES, BLOCKS = 4, 3
BOOTS_S = (2.0, 6.0)
PLANTED_S = 3.0
WITHIN_S = 0.5
# A stage moved when its two samples tell so at this level, shared among all stages and arms. Nothing on a busy machine is
# held to less than this.
LEVEL = 0.05
LEAST_S = 0.05

CONFIG = '''"""One node a block on the pocket cluster, with a delay of known length planted or none."""

from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.launchers import SimpleLauncher
from parsl.providers import SlurmProvider

config = Config(
    strategy="simple",
    strategy_period=1,
    max_idletime=2,
    executors=[
        HighThroughputExecutor(
            label="htex",
            address="127.0.0.1",
            max_workers_per_node=1,
            provider=SlurmProvider(
                partition="pocket",
                walltime="00:10:00",
                init_blocks=0,
                max_blocks={blocks},
                scheduler_options={options!r},
                worker_init={worker_init!r},
                launcher=SimpleLauncher(),
            ),
        )
    ],
)
'''
# Runs at the start of each Python below the job: the first task of each worker waits.
LATE = """
import importlib.abc
import importlib.util
import sys
import time


class Late(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "parsl.executors.execute_task":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            plain, waited = module.execute_task, []

            def late(*args):
                if not waited:
                    waited.append(True)
                    time.sleep({seconds})
                return plain(*args)

            module.execute_task = late

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Late())
"""


@contextmanager
def cluster(name: str, *options: str) -> Iterator[dict[str, str]]:
    """A pocket cluster, and the environment that finds it."""
    perfdb("cluster", "up", "--name", name, "--nodes", str(NODES), *options)
    try:
        found = json.loads(perfdb("cluster", "env", "--name", name, "--json"))
        yield {**os.environ, **{key: value for key, value in found.items() if isinstance(value, str)}}
    finally:
        perfdb("cluster", "down", "--name", name)


def perfdb(*words: str, env: Mapping[str, str] | None = None, most: int = 1) -> str:
    """What the command prints; its exit code may be 0 or up to `most`."""
    done = subprocess.run([str(BIN / "perfdb"), *words], capture_output=True, text=True, env=env, check=False)
    if done.returncode > most:
        sys.exit(
            f"perfdb {' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )
    return done.stdout


def configs(folder: Path) -> dict[str, Path]:
    """A plain config, and one for each place where a delay is planted."""
    path = f"export PATH={shlex.quote(str(BIN))}:$PATH"
    late = folder / "late"
    late.mkdir()
    (late / "sitecustomize.py").write_text(LATE.format(seconds=PLANTED_S))
    arms = {
        "plain": ("", path),
        "worker_init": ("", f"{path}\nsleep {PLANTED_S:g}"),
        "held": ("#SBATCH --hold", path),
        "first_task": ("", f"{path}\nexport PYTHONPATH={shlex.quote(str(late))}"),
    }
    found = {}
    for arm, (options, worker_init) in arms.items():
        found[arm] = folder / f"{arm}.py"
        found[arm].write_text(CONFIG.format(blocks=BLOCKS, options=options, worker_init=worker_init))
    return found


@contextmanager
def releasing_held_jobs(env: Mapping[str, str]) -> Iterator[None]:
    """Whatever is held is released when it has been so for the planted time."""
    stop = threading.Event()

    def watch() -> None:
        seen: dict[str, float] = {}
        while not stop.wait(0.05):
            command = ["squeue", "--noheader", "--states=PENDING", "--format=%A %r"]
            for line in subprocess.run(
                command, capture_output=True, text=True, env=env, check=False
            ).stdout.splitlines():
                job, _, why = line.partition(" ")
                if why.strip() == "JobHeldUser":
                    seen.setdefault(job, time.monotonic())
            for job in [job for job, since in seen.items() if time.monotonic() - since >= PLANTED_S]:
                del seen[job]
                subprocess.run(["scontrol", "release", job], capture_output=True, env=env, check=False)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def stages(record: Mapping[str, Any], prefix: str = "") -> dict[str, list[float]]:
    """The values of each stage, one a round."""
    start = f"{prefix}stage_"
    return {m["name"][len(start) : -2]: m["values"] for m in record["metrics"] if m["name"].startswith(start)}


def moved(before: Sequence[float], after: Sequence[float], tests: int) -> bool:
    """Whether a stage moved by more than its own noise."""
    from scipy.stats import mannwhitneyu

    shift = statistics.median(after) - statistics.median(before)
    p = mannwhitneyu(before, after, method="exact").pvalue
    return bool(abs(shift) > LEAST_S and p < LEVEL / tests)


def compare(
    name: str, base: Mapping[str, list[float]], arm: Mapping[str, list[float]], own: str, planted_s: float, tests: int
) -> bool:
    """One line for each stage; whether the planted delay stands where it belongs, and nowhere else."""
    good = True
    for stage in base:
        if stage not in arm:
            print(f"  {name:12} {stage:20} missing")
            good = False
            continue
        shift = statistics.median(arm[stage]) - statistics.median(base[stage])
        fits = abs(shift - planted_s) <= WITHIN_S if stage == own else not moved(base[stage], arm[stage], tests)
        good &= fits
        told = f"planted {planted_s:+.1f} s" if stage == own else ""
        middle = f"{statistics.median(base[stage]):7.3f} -> {statistics.median(arm[stage]):7.3f} s"
        print(f"  {name:12} {stage:20} {middle}  {shift:+7.3f} s  {told:16} {'ok' if fits else 'MISSED'}")
    return good and own in base


def tell(title: str, record: Mapping[str, Any]) -> bool:
    """The record's status and its checks; whether it is ok."""
    print(f"{title}: {record['status']}{' – ' + record['reason'] if record.get('reason') else ''}")
    for check in record["checks"]:
        print(f"  {'passed' if check['passed'] else 'FAILED'}  {check['name']}: {check['detail']}")
    return bool(record["status"] == "ok")


def measure_boots(folder: Path, config: Path, rounds: int, asked: Sequence[str]) -> bool:
    """Cold and warm rounds with either boot."""
    found = []
    good = True
    for boot_s in BOOTS_S:
        with cluster("bench", "--cloud", "--boot-s", f"{boot_s:g}") as env:
            words = ("run", "autoscale", str(config), "--reps", str(rounds), *asked, "--no-server", "--json")
            record = json.loads(perfdb(*words, env={**env, "PERFDB_ROOT": str(folder)}, most=4))
        good &= tell(f"cloud, boot {boot_s:g} s", record)
        found.append(stages(record))
        cold, warm = stages(record)["node_booted"], stages(record, "warm_")["node_booted"]
        low, high = boot_s, boot_s + 2
        fits = all(low <= value <= high for value in cold) and all(value == 0 for value in warm)
        print(
            f"  boot stage: cold {min(cold):.3f}–{max(cold):.3f} s ({low:g}–{high:g} asked), warm {set(warm)}: {fits}"
        )
        good &= fits
    # Five against five tell no less than 2 in 252.
    return compare("boot", found[0], found[1], "node_booted", BOOTS_S[1] - BOOTS_S[0], 5) and good


def measure_planted(folder: Path, paths: Mapping[str, Path], rounds: int, asked: Sequence[str]) -> bool:
    """All arms in turns on a plain cluster."""
    own = {"worker_init": "pool_started", "held": "job_allocated", "first_task": "first_task_started"}
    with cluster("bench") as env, releasing_held_jobs(env):
        words = ("sweep", *map(str, paths.values()), "--family", "autoscale", "--reps", str(rounds), *asked, "--json")
        told = json.loads(perfdb(*words, env={**env, "PERFDB_ROOT": str(folder)}, most=4))
    records = dict(zip(paths, (one["record"] for one in told), strict=True))
    good = True
    for arm, record in records.items():
        good &= tell(arm, record)
    base = stages(records["plain"])
    for arm, stage in own.items():
        good &= compare(arm, base, stages(records[arm]), stage, PLANTED_S, len(base) * len(own))
    return good


def main() -> None:
    """Print all stages; end with 1 where the instrument does not measure what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="cold rounds with each boot")
    # With 8 against 8 the least p is 2 in 12,870, enough for all stages and arms; 5 against 5 could not tell one.
    parser.add_argument("--planted-rounds", type=int, default=8, help="rounds of each arm with a planted delay")
    parser.add_argument("--only", choices=("boot", "planted"))
    asked = parser.parse_args()
    given = ("--set", "tasks=6", "--set", "task_s=1", "--set", f"blocks={BLOCKS}")
    with tempfile.TemporaryDirectory() as name:
        paths = configs(Path(name))
        good = True
        if asked.only != "planted":
            good &= measure_boots(Path(name), paths["plain"], asked.rounds, given)
        if asked.only != "boot":
            good &= measure_planted(Path(name), paths, asked.planted_rounds, given)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
