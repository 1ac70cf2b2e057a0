"""Slurm: its commands, the controller and how it is set, accounting; and the programs of a pocket cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from perfdb.cli.doctor.here import Here, has
from perfdb.cli.doctor.installing import as_root
from perfdb.cli.doctor.point import Point

NEEDED_FOR = "configs with a SlurmProvider; perfdb run autoscale, elastic slurm, schedulers"
POCKET = "perfdb cluster up"
_COMMANDS = ("sbatch", "squeue", "scontrol", "scancel", "sinfo")
_CONFIGS = ("/etc/slurm/slurm.conf", "/etc/slurm-llnl/slurm.conf", "/run/slurm/conf/slurm.conf")
_POCKET_FIX = 'perfdb cluster up; eval "$(perfdb cluster env)"'
_NONE = "accounting_storage/none"


def look(here: Here) -> Iterator[Point]:
    """From the commands to the accounting, as far as one leads to the next."""
    missing = [program for program in _COMMANDS if not has(program)]
    if missing:
        told = f"not on PATH: {', '.join(missing)}"
        fix = "on a login node: module load slurm; without a cluster: perfdb doctor pocket"
        yield Point("slurm", "note", told, NEEDED_FOR, fix)
        return
    yield Point("slurm", "ok", f"{', '.join(_COMMANDS)} are here", NEEDED_FOR)
    ping = here.ask(["scontrol", "ping"])
    if not ping.well:
        yield _no_controller(in_time=ping.code is not None)
        return
    yield from _settings(here)


def look_at_pocket(here: Here) -> Iterator[Point]:  # noqa: ARG001 (a check's shape)
    """What a pocket cluster, and its accounting, need to be installed."""
    from perfdb.errors import ClusterError
    from perfdb.platforms.pocket.accounting import check
    from perfdb.platforms.pocket.programs import Programs

    try:
        release, patch = Programs.found().version()
        yield Point("pocket cluster", "ok", f"all programs are here; Slurm {release:02}.{patch:02}", POCKET)
    except ClusterError as error:
        yield Point("pocket cluster", "note", *_told(error, POCKET))
    try:
        check()
        yield Point("pocket accounting", "ok", "all programs are here", f"{POCKET} --accounting")
    except ClusterError as error:
        yield Point("pocket accounting", "note", *_told(error, f"{POCKET} --accounting"))


def _told(error: Exception, needed_for: str) -> tuple[str, str, str]:
    """What was found, what it is needed for, what to type, of the paragraph that `perfdb cluster up` would tell."""
    found, _, rest = str(error).partition(". ")
    command = rest.split("`")[1] if rest.count("`") > 1 else rest.split(", then try again")[0]
    return found, needed_for, command


def _no_controller(*, in_time: bool) -> Point:
    """What Slurm's commands say is not told: it names hosts."""
    from perfdb.platforms.pocket.places import Places

    name, conf = "slurm controller", os.environ.get("SLURM_CONF")
    if not conf and not any(Path(path).exists() for path in _CONFIGS):
        return Point(
            name, "note", "none: there is no slurm.conf here", NEEDED_FOR, f"a Slurm of your own: {_POCKET_FIX}"
        )
    if conf and not Path(conf).exists():
        fix = f"unset SLURM_CONF, or: {_POCKET_FIX}"
        return Point(name, "fix", "SLURM_CONF names a file that is not there", NEEDED_FOR, fix)
    told = "does not answer" if in_time else "does not answer in time"
    if conf and (pocket := Places.of_conf(Path(conf))):
        told += f"; it is of the pocket cluster {pocket.name!r}"
        of_it = f"--name {pocket.name}"
        fix = f'perfdb cluster up {of_it}; eval "$(perfdb cluster env {of_it})"'
        return Point(name, "fix", told, NEEDED_FOR, fix)
    fix = f"sinfo says why; {as_root()}systemctl status munge; of a pocket cluster that is gone: unset SLURM_CONF"
    return Point(name, "fix", told, NEEDED_FOR, fix)


def _settings(here: Here) -> Iterator[Point]:
    from perfdb.platforms.slurm_settings import scheduler_settings
    from perfdb.platforms.slurm_show import shown_settings

    said = here.ask(["scontrol", "show", "config"])
    if not said.well:
        yield Point(
            "slurm controller", "note", "answers, and does not tell its settings", NEEDED_FOR, "scontrol show config"
        )
        return
    release = shown_settings(said.out).get("SLURM_VERSION", "")[:20]
    yield Point("slurm controller", "ok", f"answers: Slurm {release or 'of unknown version'}", NEEDED_FOR)
    found = scheduler_settings(said.out)
    how = (found.get(key) for key in ("SchedulerType", "SelectType", "SelectTypeParameters", "PriorityType"))
    yield Point("slurm scheduling", "ok", ", ".join(filter(None, how)) or "not told", "comparing like with like")
    storage = found.get("AccountingStorageType", _NONE)
    needed_for = "jobs' times minutes after their end; resizing a job more than once"
    if storage == _NONE:
        fix = "ask the site; of a pocket cluster: perfdb cluster up --accounting"
        yield Point("slurm accounting", "note", "none is set up", needed_for, fix)
    elif not here.ask(["sacct", "--allocations", "--noheader", "--starttime=now"]).well:
        yield Point("slurm accounting", "note", f"{storage}, and sacct does not answer", needed_for, "ask the site")
    else:
        yield Point("slurm accounting", "ok", f"{storage}, sacct answers", needed_for)
