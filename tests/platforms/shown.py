"""What Slurm 22.05 prints of jobs and nodes, as it was printed."""

from __future__ import annotations

from typing import Any

_JOB = """\
JobId={job_id} JobName={name}
   UserId=someone(1000) GroupId=someone(1000) MCS_label=N/A
   Priority=4294901759 Nice=0 Account=(null) QOS=(null)
   JobState={state} Reason={reason} Dependency=(null)
   Requeue=1 Restarts={restarts} BatchFlag=1 Reboot=0 ExitCode=0:0
   RunTime=00:00:12 TimeLimit=00:10:00 TimeMin=N/A
   SubmitTime={submit} EligibleTime=2026-11-21T02:28:00
   AccrueTime=2026-11-21T02:28:00
   StartTime={start} EndTime={end} Deadline=N/A
   SuspendTime=None SecsPreSuspend=0 LastSchedEval={evaluated} Scheduler=Main
   Partition=debug AllocNode:Sid=login01:4668
   ReqNodeList=(null) ExcNodeList=(null)
   NodeList={nodes}
   BatchHost=n0
   NumNodes=1 NumCPUs=1 NumTasks=1 CPUs/Task=1 ReqB:S:C:T=0:0:*:*
   Command=/scratch/job.sh
   WorkDir=/scratch
"""
_NODE = (
    "NodeName={name} Arch=x86_64 CoresPerSocket=1  CPUAlloc=0 CPUEfctv=2 CPUTot=2 CPULoad=0.11 AvailableFeatures=(null) "
    "ActiveFeatures=(null) Gres=(null) NodeAddr=10.9.8.7 NodeHostName={name} Port=6818 Version=22.05.8 OS=Linux 6.1 "
    "RealMemory=8035 AllocMem=0 FreeMem=21956 Sockets=2 Boards=1 State={state} ThreadsPerCore=1 TmpDisk=0 Weight=1 "
    "Owner=N/A MCS_label=N/A Partitions={partitions}  BootTime={started} SlurmdStartTime={started} LastBusyTime=Unknown\n"
)
CONFIG = """\
Configuration data as of 2026-11-21T02:28:00
ClusterName             = fake
ResumeProgram           = {resume}
ResumeTimeout           = 32 sec
SuspendExcNodes         = {kept}
SuspendExcParts         = {kept_partitions}
SuspendTime             = 12 sec

Slurmctld(primary) at login01 is UP
"""


def job(**changes: Any) -> str:
    """`scontrol show job` of one that runs: it took the job at 2:28:00, gave it n0 at 2:28:30."""
    fields = {
        "job_id": "4711",
        "name": "parsl.htex.block-0.1",
        "state": "RUNNING",
        "reason": "None",
        "restarts": 0,
        "submit": "2026-11-21T02:28:00",
        "start": "2026-11-21T02:28:30",
        "end": "2026-11-21T02:38:30",
        "evaluated": "2026-11-21T02:28:30",
        "nodes": "n0",
    }
    return _JOB.format(**fields | changes)


def node(name: str, state: str, *, partitions: str = "debug", started: str = "None") -> str:
    """A line of `scontrol --oneliner show node`."""
    return _NODE.format(name=name, state=state, partitions=partitions, started=started)


def config(resume: str = "/etc/slurm/resume", kept: str = "(null)", kept_partitions: str = "(null)") -> str:
    """The lines of `scontrol show config` that tell of power saving."""
    return CONFIG.format(resume=resume, kept=kept, kept_partitions=kept_partitions)
