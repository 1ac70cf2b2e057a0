"""A stand-in for Slurm's commands: no cluster can be had in every test run. It runs jobs on this machine, one at once.

Called as sbatch, squeue, scontrol, scancel, sinfo or sacct (links to this file). A job waits QUEUE_S seconds in the
queue, then runs in a session of its own, as on a compute node: it outlives whoever submitted it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

STATE = Path(os.environ["STAND_IN_SLURM"])
QUEUE_S = 2.0


def instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%dT%H:%M:%S")


def job(job_id: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (STATE / job_id).read_text().splitlines())


def write(job_id: str, fields: dict[str, str]) -> None:
    draft = STATE / f"{job_id}.draft"
    draft.write_text("".join(f"{k}={v}\n" for k, v in fields.items()))
    draft.replace(STATE / job_id)


def state(job_id: str) -> str:
    fields = job(job_id)
    if fields["state"] == "RUNNING":
        try:
            if Path(f"/proc/{fields['pid']}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return "COMPLETED"
        except OSError:
            return "COMPLETED"
    return fields["state"]


def sbatch(script: str) -> None:
    name = re.search(r"--job-name=(\S+)", Path(script).read_text())[1]
    job_id = str(1000 + len(list(STATE.glob("[0-9]*"))))
    fields = {"name": name, "submit": str(time.time()), "start": "", "state": "PENDING", "pid": ""}
    write(job_id, fields)
    print(f"Submitted batch job {job_id}", flush=True)
    if os.fork() == 0:
        os.setsid()
        for stream in (0, 1, 2):
            os.dup2(os.open(os.devnull, os.O_RDWR), stream)
        time.sleep(QUEUE_S)
        if state(job_id) == "PENDING":
            given = {"SLURM_JOB_NAME": name, "SLURM_CPUS_ON_NODE": "1", "SLURM_JOB_NUM_NODES": "1"}
            running = subprocess.Popen(["bash", script], start_new_session=True, env={**os.environ, **given})
            write(job_id, {**fields, "start": str(time.time()), "state": "RUNNING", "pid": str(running.pid)})
            running.wait()
            if job(job_id)["state"] == "RUNNING":
                write(job_id, {**job(job_id), "state": "COMPLETED"})
        os._exit(0)


def squeue(arguments: list[str]) -> None:
    text = " ".join(arguments)
    names = re.search(r"--name=(\S+)", text)
    ids = re.search(r"--jobs?[= ]'?([0-9,]+)", text)
    template = re.search(r"--format=?\s*'?([^'-]+)'?", text)[1].strip()
    for path in sorted(STATE.glob("[0-9]*[0-9]")):
        fields = job(path.name)
        if (names and fields["name"] not in names[1].split(",")) or (ids and path.name not in ids[1].split(",")):
            continue
        now = state(path.name)
        if now in ("PENDING", "RUNNING"):
            short = {"PENDING": "PD", "RUNNING": "R"}[now]
            line = template
            for code, value in (("%A", path.name), ("%i", path.name), ("%T", now), ("%t", short)):
                line = line.replace(code, value)
            print(line)


def scontrol(job_id: str) -> None:
    fields = job(job_id)
    start = instant(float(fields["start"])) if fields["start"] else "Unknown"
    print(f"JobId={job_id} JobName={fields['name']}\n   JobState={state(job_id)} Reason=None")
    print(
        f"   SubmitTime={instant(float(fields['submit']))} EligibleTime=Unknown\n   StartTime={start} EndTime=Unknown"
    )


def scancel(job_ids: list[str]) -> None:
    for job_id in job_ids:
        fields = job(job_id)
        write(job_id, {**fields, "state": "CANCELLED"})
        if fields["pid"]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(fields["pid"]), signal.SIGKILL)
    with (STATE / "cancelled.log").open("a") as file:
        file.write(" ".join(job_ids) + "\n")


def main() -> None:
    name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    if name == "sbatch":
        sbatch(arguments[-1])
    elif name == "squeue":
        squeue(arguments)
    elif name == "scontrol":
        scontrol(arguments[-1])
    elif name == "scancel":
        scancel([a for a in arguments if a.isdigit()])
    elif name == "sinfo":
        print("slurm stand-in 1.0")
    else:
        sys.exit(1)  # sacct: no accounting here, as on a plain installation


main()
