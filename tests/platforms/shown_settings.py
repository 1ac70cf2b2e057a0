"""What Slurm 22.05 and 23.11 print of their settings, as it was printed, but for who and where."""

from __future__ import annotations

# Lines that tell of people, hosts and paths stand among those that tell of the scheduler.
CONFIG = """\
Configuration data as of 2026-11-21T16:05:35
AccountingStorageBackupHost = (null)
AccountingStorageEnforce = none
AccountingStorageHost   = dbhost01
AccountingStorageParameters = (null)
AccountingStoragePort   = 6819
AccountingStorageType   = accounting_storage/slurmdbd
AccountingStorageUser   = someone
AuthInfo                = socket=/run/fake/munge.socket
ClusterName             = fakecluster
CommunicationParameters = NoAddrCache
JobCompHost             = dbhost01
JobCompLoc              = /var/log/fake/jobs.txt
KillWait                = 5 sec
MailProg                = /bin/true
MinJobAge               = 3600 sec
PreemptMode             = GANG,SUSPEND
PreemptType             = preempt/partition_prio
PreemptExemptTime       = 00:00:00
PriorityParameters      = (null)
PriorityType            = priority/basic
Prolog                  = (null)
PrologEpilogTimeout     = 65534
PrologSlurmctld         = /etc/fake/ready
PrologFlags             = (null)
ResumeProgram           = /etc/fake/resume
ResumeRate              = 0 nodes/min
ResumeTimeout           = 31 sec
SchedulerParameters     = sched_interval=1,batch_sched_delay=0,bf_interval=1,permit_job_expansion
SchedulerTimeSlice      = 30 sec
SchedulerType           = sched/backfill
SelectType              = select/cons_tres
SelectTypeParameters    = CR_CPU
SlurmUser               = someone(1000)
SlurmctldHost[0]        = login01(10.9.8.7)
SlurmctldLogFile        = /var/log/fake/slurmctld.log
SlurmctldPort           = 6817
SlurmctldParameters     = idle_on_node_suspend,power_save_interval=1
SLURM_CONF              = /etc/fake/slurm.conf
SLURM_VERSION           = 22.05.8
StateSaveLocation       = /var/spool/fake
SuspendExcNodes         = login01
SuspendExcParts         = (null)
SuspendProgram          = /etc/fake/suspend
SuspendRate             = 60 nodes/min
SuspendTime             = 12 sec
SuspendTimeout          = 3 sec
TopologyParam           = (null)
TopologyPlugin          = topology/none

Slurmctld(primary) at login01 is UP
"""
TOLD = {
    "AccountingStorageType": "accounting_storage/slurmdbd",
    "KillWait": "5 sec",
    "PreemptMode": "GANG,SUSPEND",
    "PreemptType": "preempt/partition_prio",
    "PriorityType": "priority/basic",
    "PrologSlurmctld": "set",
    "ResumeProgram": "set",
    "ResumeTimeout": "31 sec",
    "SchedulerParameters": "batch_sched_delay=0,bf_interval=1,permit_job_expansion,sched_interval=1",
    "SchedulerType": "sched/backfill",
    "SelectType": "select/cons_tres",
    "SelectTypeParameters": "CR_CPU",
    "SlurmctldParameters": "idle_on_node_suspend,power_save_interval=1",
    "SuspendTime": "12 sec",
    "SuspendTimeout": "3 sec",
    "TopologyPlugin": "topology/none",
}
_PARTITION = (
    "PartitionName={name} AllowGroups=ALL AllowAccounts=physics AllowQos=ALL AllocNodes=login01 Default={default} QoS=N/A "
    "DefaultTime=NONE DisableRootJobs=NO ExclusiveUser=NO GraceTime=0 Hidden=NO MaxNodes=UNLIMITED MaxTime=UNLIMITED "
    "MinNodes=0 LLN=NO MaxCPUsPerNode=UNLIMITED Nodes=n[0-2] PriorityJobFactor=1 PriorityTier={tier} RootOnly=NO "
    "ReqResv=NO OverSubscribe={shared} OverTimeLimit=NONE PreemptMode=OFF State=UP TotalCPUs={cpus} TotalNodes={nodes} "
    "SelectTypeParameters=NONE JobDefaults=(null) DefMemPerNode=UNLIMITED MaxMemPerNode=UNLIMITED "
    "TRES=cpu={cpus},mem=24105M,node={nodes},billing={cpus}\n"
)


def partition(
    name: str, *, default: bool = False, nodes: object = 3, cpus: int = 6, tier: int = 1, shared: str = "NO"
) -> str:
    """A line of `scontrol --oneliner show partition`."""
    told = {"default": "YES" if default else "NO", "nodes": nodes, "cpus": cpus, "tier": tier, "shared": shared}
    return _PARTITION.format(name=name, **told)


def changed(name: str, value: str) -> str:
    """The configuration with one setting changed."""
    lines = CONFIG.splitlines(keepends=True)
    assert any(line.split()[:1] == [name] for line in lines)
    return "".join(f"{name:<23} = {value}\n" if line.split()[:1] == [name] else line for line in lines)
