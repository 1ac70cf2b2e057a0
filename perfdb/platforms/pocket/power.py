"""What slurmctld runs for cloud nodes: `power.py up|down FOLDER n[0-2]`, and `power.py ready FOLDER` before a job on them.

Only the standard library, so that it starts at once. Each event is one line of log/power.jsonl:

    {"at": 1795262400.123456, "event": "power_up", "node": "n0"}

`power_up` is stamped when this program begins, `booted` when the boot time is over and the node's slurmd is started,
`boot_failed` when it is not, since nodes/n0.broken was there, `power_down` when the node is to go.

`ready` ends once all nodes of a job are up, or one is given up. slurmctld looks only twice a minute whether the nodes of a
batch job have booted, but at once when the program ends that it runs before the job.
"""

from __future__ import annotations

import time

BEGUN = time.time_ns()

import contextlib  # noqa: E402 (the stamp comes first)
import json  # noqa: E402
import math  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import signal  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

TERM_GRACE_S = 1.0
# How often to look for a file, and to ask slurmctld once that is there or while it is not.
LOOK_S = 0.02
ASK_STARTED_S = 0.05
ASK_S = 2.0


def expand(hosts: str) -> list[str]:
    """n0, n1, n2 from `n[0-2]`: slurmctld's way to name several."""
    names = []
    for numbers, single in re.findall(r"n\[([\d,-]+)\]|n(\d+)", hosts):
        for part in (numbers or single).split(","):
            first, _, last = part.partition("-")
            names += [f"n{number}" for number in range(int(first), int(last or first) + 1)]
    return names


def note(folder: Path, at_ns: int, event: str, node: str) -> None:
    """One line in one write, so that lines of several at once don't mix."""
    line = json.dumps({"at": at_ns / 1e9, "event": event, "node": node}) + "\n"
    log = os.open(folder / "log" / "power.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(log, line.encode())
    finally:
        os.close(log)


def daemons(folder: Path, node: str) -> list[int]:
    """The node's slurmd, by its command line: a number in a file may be another process's by now. Others' are none."""
    mine = [b"-N", node.encode(), b"-f", str(folder / "slurm.conf").encode()]
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            ours = entry.name.isdigit() and entry.stat().st_uid == os.getuid()
            words = (entry / "cmdline").read_bytes().split(b"\0") if ours else []
            if words and words[0].endswith(b"/slurmd") and words[-5:-1] == mine:
                found.append(int(entry.name))
    return found


def power_up(folder: Path, nodes: list[str]) -> None:
    """Let the boot time pass, then start each node's slurmd, which outlives us."""
    for node in nodes:
        note(folder, BEGUN, "power_up", node)
    described = json.loads((folder / "cluster.json").read_text())
    time.sleep(max(0.0, described["options"]["boot_s"] - (time.time_ns() - BEGUN) / 1e9))
    for node in nodes:
        if (folder / "nodes" / f"{node}.broken").exists():
            note(folder, time.time_ns(), "boot_failed", node)
            continue
        _end(folder, node)
        with (folder / "log" / f"slurmd-{node}.out").open("ab") as output:
            # -b: slurmctld takes the node for powered up only if it says that it has booted.
            argv = [described["slurmd_program"], "-D", "-b", "-N", node, "-f", str(folder / "slurm.conf")]
            subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, start_new_session=True
            )
        note(folder, time.time_ns(), "booted", node)


def power_down(folder: Path, nodes: list[str]) -> None:
    """End each node's slurmd."""
    for node in nodes:
        note(folder, BEGUN, "power_down", node)
    for node in nodes:
        _end(folder, node)


def await_nodes(folder: Path, nodes: list[str]) -> None:
    """Return once slurmctld has heard from all of them, or has given one up."""
    # A look at a file costs nothing, and a boot mostly waiting.
    asked = -math.inf
    while True:
        started = all((folder / "spool" / f"{node}.pid").exists() for node in nodes)
        if time.monotonic() - asked > (ASK_STARTED_S if started else ASK_S):
            if not _are_coming(nodes):
                return
            asked = time.monotonic()
        time.sleep(LOOK_S)


def _are_coming(nodes: list[str]) -> bool:
    """Whether some are not up and none is given up. `~`, `#`: powered down, powering up."""
    argv = ["sinfo", "--noheader", "--Node", f"--nodes={','.join(nodes)}", "--format=%t"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    states = done.stdout.split()
    return any(state[-1] in "~#" for state in states) and not any(state.startswith("down") for state in states)


def _end(folder: Path, node: str) -> None:
    for deadline, how in ((TERM_GRACE_S, signal.SIGTERM), (TERM_GRACE_S, signal.SIGKILL)):
        until = time.monotonic() + deadline
        for pid in daemons(folder, node):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, how)
        while daemons(folder, node) and time.monotonic() < until:
            time.sleep(0.02)


def main() -> None:
    """As slurmctld calls us."""
    # slurmctld's children inherit the signals that it blocks, and SIGTERM would never reach a slurmd.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    what, folder = sys.argv[1], Path(sys.argv[2])
    hosts = os.environ.get("SLURM_JOB_NODELIST", "") if what == "ready" else sys.argv[3]
    {"up": power_up, "down": power_down, "ready": await_nodes}[what](folder, expand(hosts))


if __name__ == "__main__":
    main()
