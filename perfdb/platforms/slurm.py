"""Slurm by its own commands, and by its log where it is a pocket cluster's."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perfdb.platforms.base import COMMAND_TIMEOUT_S, UNTOLD, Job, NodeBoot, ask
from perfdb.platforms.parsl_log import job_names, launched_jobs
from perfdb.platforms.slurm_log import ControllerLog, Times
from perfdb.platforms.slurm_settings import partition_settings, scheduler_settings
from perfdb.platforms.slurm_show import (
    ACCOUNTED,
    OVER,
    ShownJob,
    ShownNode,
    accounted,
    node_names,
    shown_job,
    shown_nodes,
    shown_settings,
    single_node,
)

if TYPE_CHECKING:
    from perfdb.platforms.pocket.options import Options

# For the times of all jobs together, should the controller be slow.
TIMES_TIMEOUT_S = 30.0
# A job that is not known is told at once; a controller that is not there is tried for this long and longer.
UNANSWERED_S = 4.0
# A user's own settings for these commands: filters, formats, questions.
_USERS_OWN = ("SQUEUE_", "SCANCEL_", "SACCT_", "SINFO_", "SCONTROL_", "SLURM_TIME_FORMAT")


@dataclass(frozen=True)
class Slurm:
    """squeue, scontrol, sacct and scancel. Times have Slurm's resolution of one second, a pocket cluster's a millisecond."""

    name: str = "slurm"
    provider_classes: frozenset[str] = frozenset({"SlurmProvider"})

    def jobs_of(self, run_dir: Path) -> tuple[str, ...]:
        """From parsl.log, and by job name for one that was submitted but not yet logged when we were killed."""
        found = dict.fromkeys(j for j in launched_jobs(run_dir) if j.isdigit())
        if names := job_names(run_dir):
            code, text = _ask("squeue", "--noheader", "--format=%A", "--name=" + ",".join(names))
            if code == 0:
                found.update(dict.fromkeys(word for word in text.split() if word.isdigit()))
        return tuple(found)

    def times_of(self, job_ids: tuple[str, ...], names: tuple[str, ...] = ()) -> tuple[Job, ...]:
        """From `scontrol show job`, which knows a job for some minutes after its end; then from accounting, if there is any."""
        shown = {job_id: job for job_id, job in _shown(job_ids).items() if not names or job.name in names}
        expanded = {nodes: _expanded(nodes) for nodes in {job.nodes for job in shown.values() if job.nodes}}
        log = _controller_log() if shown else None
        booted = () if log is not None else _booting_nodes(shown)
        jobs = []
        for job_id in job_ids:
            job = shown.get(job_id, ShownJob(why=UNTOLD))
            nodes = expanded.get(job.nodes or "", ())
            own = log.times(job_id, nodes) if log is not None else Times()
            over = job.state in OVER
            jobs.append(
                Job(
                    job_id=job_id,
                    pending=own.pending or job.pending,
                    allocated=own.allocated or job.allocated,
                    started=own.started if log is not None and own.allocated else job.started,
                    ended=(own.ended or job.ended) if over else None,
                    state=job.state,
                    why=_why(job),
                    restarts=job.restarts,
                    nodes=nodes,
                    boots=own.boots if log is not None else _boots(job, nodes, booted),
                )
            )
        return tuple(jobs)

    def cancel(self, job_ids: tuple[str, ...], names: tuple[str, ...] = ()) -> tuple[str, ...]:
        """One scancel for those that squeue still lists; those that it lists after a refusal are returned."""
        if not job_ids:
            return ()
        listed = _queue()
        if listed is None:
            # Ids of old may be others' jobs by now. Ours of today are tried rather than trusted to be over.
            return job_ids if names or _ask("scancel", *job_ids)[0] != 0 else ()
        ours = tuple(j for j in job_ids if _is_ours(listed.get(j), names))
        if not ours or _ask("scancel", *ours)[0] == 0:
            return ()
        left = _queue()
        return ours if left is None else tuple(j for j in ours if _is_ours(left.get(j), names))

    def over(self, job_ids: tuple[str, ...]) -> bool:
        """Whether squeue lists none of them any more, not even as completing."""
        listed = _queue() if job_ids else None
        return listed is None or not any(job_id in listed and listed[job_id].state not in OVER for job_id in job_ids)

    def nodes_up(self) -> tuple[str, ...] | None:
        """Idle nodes that Slurm's power saving would power down: up, booting or on their way down."""
        code, text = _ask("scontrol", "show", "config")
        settings = shown_settings(text) if code == 0 else {}
        if "ResumeProgram" not in settings:
            return None
        code, text = _ask("scontrol", "--oneliner", "show", "node")
        if code != 0:
            return None
        idle = [node for node in shown_nodes(text) if node.up_for_nothing]
        if not idle:
            return ()
        # `n[0-3]:2` keeps two of them up; which ones, Slurm chooses.
        kept = set(_expanded(settings.get("SuspendExcNodes", "").partition(":")[0]))
        kept_partitions = set(settings.get("SuspendExcParts", "").split(","))
        return tuple(node.name for node in idle if node.name not in kept and not node.partitions & kept_partitions)

    def version(self) -> str | None:
        """As `sinfo --version` says it."""
        code, text = _ask("sinfo", "--version")
        # `slurm 23.11.4`; Debian's says `slurm-wlm 22.05.8`.
        return text.split()[-1] if code == 0 and text.strip() else None

    def settings(self, partitions: Sequence[str | None]) -> Mapping[str, str]:
        """As `scontrol show` says them, see `slurm_settings`; of a pocket cloud besides `boot_s`, in seconds."""
        until = time.monotonic() + COMMAND_TIMEOUT_S
        code, text = _ask("scontrol", "show", "config")
        if code != 0:
            return {}
        found = scheduler_settings(text)
        code, text = _ask("scontrol", "--oneliner", "show", "partition", timeout_s=max(0.1, until - time.monotonic()))
        if code == 0:
            found |= partition_settings(text, partitions)
        options = _pocket_options()
        return found | ({"boot_s": f"{options.boot_s:g}"} if options is not None and options.cloud else {})


@dataclass(frozen=True)
class _Queued:
    state: str
    name: str


def _is_ours(queued: _Queued | None, names: tuple[str, ...]) -> bool:
    """Whether it is to be cancelled: what is over, or about to be, is not."""
    if queued is None or queued.state in OVER or queued.state == "COMPLETING":
        return False
    return not names or queued.name in names


def _queue() -> dict[str, _Queued] | None:
    """This user's jobs that are not over, by id; None where that can't be asked.

    Asked for by user, since squeue takes an unknown id for an error that looks like any other.
    """
    code, text = _ask("squeue", "--noheader", "--format=%A|%T|%j", f"--user={os.getuid()}")
    if code != 0:
        return None
    rows = (line.strip().split("|", 2) for line in text.splitlines())
    return {row[0]: _Queued(row[1], row[2]) for row in rows if len(row) == 3 and row[0].isdigit()}


def _shown(job_ids: tuple[str, ...]) -> dict[str, ShownJob]:
    """What is known of them, by id."""
    until = time.monotonic() + TIMES_TIMEOUT_S
    shown: dict[str, ShownJob] = {}
    for job_id in job_ids:
        left_s = until - time.monotonic()
        if left_s <= 0:
            return shown
        asked_at = time.monotonic()
        code, text = _ask("scontrol", "show", "job", job_id, timeout_s=min(left_s, COMMAND_TIMEOUT_S))
        if code == 0:
            shown[job_id] = shown_job(text)
        elif code == 127 or time.monotonic() - asked_at > UNANSWERED_S:
            break
    forgotten = [job_id for job_id in job_ids if job_id not in shown]
    left_s = until - time.monotonic()
    if forgotten and left_s > 0:
        which = (f"--jobs={','.join(forgotten)}", f"--format={ACCOUNTED}")
        code, text = _ask("sacct", "--allocations", "--parsable2", "--noheader", *which, timeout_s=left_s)
        told = accounted(text) if code == 0 else {}
        shown |= {job_id: told[job_id] for job_id in forgotten if job_id in told}
    return shown


def _why(job: ShownJob) -> str | None:
    again = f"requeued {job.restarts} time{'s' if job.restarts > 1 else ''}" if job.restarts else None
    return "; ".join(part for part in (job.why, again) if part) or None


def _booting_nodes(shown: dict[str, ShownJob]) -> tuple[ShownNode, ...]:
    """The nodes of those jobs as they are now, if any job waited between its nodes and its start."""
    waited = [
        job.nodes
        for job in shown.values()
        if job.nodes and job.allocated and job.started and job.allocated.at < job.started.at
    ]
    if not waited:
        return ()
    code, text = _ask("scontrol", "--oneliner", "show", "node", ",".join(dict.fromkeys(waited)))
    return shown_nodes(text) if code == 0 else ()


def _boots(job: ShownJob, nodes: tuple[str, ...], known: tuple[ShownNode, ...]) -> tuple[NodeBoot, ...]:
    """Those whose daemon was started between the job's allocation and its start: when they were asked for, nobody tells."""
    if job.allocated is None or job.started is None:
        return ()
    first, last = job.allocated.at, job.started.at
    return tuple(
        NodeBoot(node=node.name, registered=node.daemon_started)
        for node in known
        if node.name in nodes and node.daemon_started is not None and first < node.daemon_started.at <= last
    )


def _controller_log() -> ControllerLog | None:
    """Of the pocket cluster that these commands speak to, if it is one."""
    from perfdb.platforms.pocket.places import Places

    conf = os.environ.get("SLURM_CONF")
    places = Places.of_conf(Path(conf)) if conf else None
    if places is None:
        return None
    try:
        with places.slurmctld_log.open(encoding="utf-8", errors="replace") as lines:
            try:
                with places.power_events.open(encoding="utf-8", errors="replace") as events:
                    return ControllerLog.read(lines, events)
            except FileNotFoundError:  # no node was ever powered up
                return ControllerLog.read(lines, ())
    except OSError:
        return None


def _pocket_options() -> Options | None:
    """What was asked for of the pocket cluster that these commands speak to, if it is one."""
    from perfdb.platforms.pocket.places import Places

    conf = os.environ.get("SLURM_CONF")
    places = Places.of_conf(Path(conf)) if conf else None
    description = places.description() if places is not None else None
    return description.options if description is not None else None


def _expanded(nodes: str) -> tuple[str, ...]:
    """The names of the nodes that Slurm names in short, n0 and n1 of `n[0-1]`."""
    if not nodes or single_node(nodes):
        return (nodes,) if nodes else ()
    code, text = _ask("scontrol", "show", "hostnames", nodes)
    return node_names(text) if code == 0 else ()


def _ask(*argv: str, timeout_s: float = COMMAND_TIMEOUT_S) -> tuple[int, str]:
    conf = os.environ.get("SLURM_CONF")
    if conf and not Path(conf).exists():  # each command would wait a minute for it
        return 127, ""
    env = {key: value for key, value in os.environ.items() if not key.startswith(_USERS_OWN)}
    return ask(list(argv), timeout_s=timeout_s, env=env)


SLURM = Slurm()
