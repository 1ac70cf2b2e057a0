"""The text of slurm.conf, from what was asked for.

Only keys that Slurm 22.05 to 24.11 know. The logs are at level `debug` with milliseconds, for a run's stages are read
from slurmctld's.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path

from perfdb.platforms.pocket.addresses import ADDRESS
from perfdb.platforms.pocket.options import RESUME_SLACK_S, SUSPEND_TIME_S, SUSPEND_TIMEOUT_S, Options
from perfdb.platforms.pocket.places import Places, Ports

# Slurm's defaults save a big cluster work by looking at a job only now and then; here a wait would be measured that is
# nobody's but the clock's.
_AT_ONCE = (
    "sched_interval=1,batch_sched_delay=0,sched_min_interval=0,bf_interval=1,bf_resolution=1,permit_job_expansion"
)

_KNOWS_NO_CGROUPS = (24, 5)


def slurm_conf(
    options: Options,
    places: Places,
    ports: Ports,
    *,
    host: str,
    user: str,
    memory_mb: int,
    closed: bool,
    accounting: Sequence[str] = (),
) -> str:
    """The whole file.

    Args:
        host: This machine's name, short, as Slurm's daemons see it.
        user: Who runs the daemons.
        memory_mb: What each node says it has.
        closed: Whether to listen on what the machine's name stands for alone, see `addresses`.
        accounting: Lines for a slurmdbd; without any, finished jobs are noted in a file.
    """
    return "\n".join(
        [
            *_daemons(places, ports, host, user),
            *_communication(options, closed=closed),
            *_manners(options),
            *(accounting or _job_file(places)),
            *(_power(options, places) if options.cloud else []),
            *_nodes(options, ports, host, memory_mb),
            *_partitions(options),
            "",
        ]
    )


def cgroup_conf(version: tuple[int, int]) -> str:
    """Nothing here uses cgroups, but a slurmd that is not told so asks systemd for one, which an ordinary user is refused.

    Slurm before 24.05 can't be told; its plugin for the first kind of cgroup does nothing until it is used.
    """
    return f"CgroupPlugin={'disabled' if version >= _KNOWS_NO_CGROUPS else 'cgroup/v1'}\n"


def power_program(places: Places, python: str, program: Path, what: str) -> str:
    """A shell script that slurmctld can run; it knows no arguments of its own in slurm.conf."""
    words = shlex.join([python, "-I", "-S", str(program), what, str(places.folder)])
    settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in places.environment().items())
    return f'#!/bin/sh\nexec env {settings} {words} "$@"\n'


def _daemons(places: Places, ports: Ports, host: str, user: str) -> list[str]:
    return [
        f"ClusterName={places.cluster_name}",
        f"SlurmctldHost={host}({ADDRESS})",
        f"SlurmctldPort={ports.slurmctld}",
        f"SlurmUser={user}",
        f"SlurmdUser={user}",
        "AuthType=auth/munge",
        f"AuthInfo=socket={places.munge_socket}",
        f"StateSaveLocation={places.state}",
        f"SlurmdSpoolDir={places.spool}/%n",
        f"SlurmctldPidFile={places.folder}/slurmctld.pid",
        f"SlurmdPidFile={places.spool}/%n.pid",
        f"SlurmctldLogFile={places.slurmctld_log}",
        f"SlurmdLogFile={places.log('slurmd-%n')}",
        "LogTimeFormat=rfc5424_ms",
        "SlurmctldDebug=debug",
        # It is what tells when a job's nodes were given back.
        "DebugFlags=TraceJobs",
        "SlurmdDebug=verbose",
        "SlurmctldSyslogDebug=quiet",
        "SlurmdSyslogDebug=quiet",
        "ProctrackType=proctrack/linuxproc",
        "SlurmdParameters=config_overrides",
        "MailProg=/bin/true",
    ]


def _communication(options: Options, *, closed: bool) -> list[str]:
    words = [
        *(["NoAddrCache"] if options.cloud else []),
        *(["NoInAddrAny", "NoCtldInAddrAny"] if closed else []),
    ]
    return [f"CommunicationParameters={','.join(words)}"] if words else []


def _manners(options: Options) -> list[str]:
    preempt = {
        "off": ["PreemptType=preempt/none", "PreemptMode=OFF"],
        "requeue": ["PreemptType=preempt/partition_prio", "PreemptMode=REQUEUE"],
        "suspend": ["PreemptType=preempt/partition_prio", "PreemptMode=SUSPEND,GANG"],
    }
    return [
        f"SchedulerType=sched/{options.scheduler}",
        f"SchedulerParameters={_AT_ONCE}",
        f"SelectType=select/{options.select}",
        *(["SelectTypeParameters=CR_CPU"] if options.select == "cons_tres" else []),
        f"PriorityType=priority/{options.priority}",
        *preempt[options.preempt],
        "JobRequeue=1",
        "EnforcePartLimits=ALL",
        "ReturnToService=2",
        # A node or a job that is gone is noticed while somebody still looks.
        "SlurmdTimeout=30",
        "KillWait=5",
        # A job's own times can be asked for after a run of an hour.
        "MinJobAge=3600",
    ]


def _job_file(places: Places) -> list[str]:
    return [
        "AccountingStorageType=accounting_storage/none",
        "JobCompType=jobcomp/filetxt",
        f"JobCompLoc={places.logs}/jobs.txt",
    ]


def _power(options: Options, places: Places) -> list[str]:
    return [
        # Nodes that are powered down are listed as well.
        "PrivateData=cloud",
        f"ResumeProgram={places.power}/resume",
        f"SuspendProgram={places.power}/suspend",
        # Without it a batch job on nodes that boot starts up to 30 s after they did, see `power`.
        f"PrologSlurmctld={places.power}/ready",
        "ResumeRate=0",
        "SuspendRate=0",
        f"ResumeTimeout={math.ceil(options.boot_s) + RESUME_SLACK_S}",
        f"SuspendTime={SUSPEND_TIME_S}",
        f"SuspendTimeout={SUSPEND_TIMEOUT_S}",
        "SlurmctldParameters=idle_on_node_suspend,power_save_interval=1",
        "TreeWidth=65533",
    ]


def _nodes(options: Options, ports: Ports, host: str, memory_mb: int) -> list[str]:
    state = "CLOUD" if options.cloud else "UNKNOWN"
    return [
        f"NodeName={name} NodeHostname={host} NodeAddr={ADDRESS} Port={ports.slurmd + number} CPUs={options.cpus} "
        f"RealMemory={memory_mb} State={state}"
        for number, name in enumerate(options.node_names)
    ]


def _partitions(options: Options) -> list[str]:
    every = "Nodes=ALL MaxTime=UNLIMITED State=UP"
    if options.preempt == "off":
        return [f"PartitionName=pocket {every} Default=YES"]
    # FORCE:1: a suspended job and its preemptor stand on the same CPUs, and no others share any.
    shared = " OverSubscribe=FORCE:1" if options.preempt == "suspend" else ""
    return [
        f"PartitionName=pocket {every} Default=YES PriorityTier=1{shared}",
        f"PartitionName=low {every} PriorityTier=1{shared}",
        f"PartitionName=high {every} PriorityTier=2 PreemptMode=OFF{shared}",
    ]
