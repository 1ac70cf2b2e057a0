"""HighThroughputExecutor on a Slurm partition, by default `hopper-cpu`: one block of whole nodes, one worker a core."""

import os

from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.launchers import SrunLauncher
from parsl.providers import SlurmProvider

PARTITION = os.environ.get("PERFDB_SITE_PARTITION", "hopper-cpu")
ACCOUNT = os.environ.get("PERFDB_SITE_ACCOUNT", "") or None  # empty: your default account
NODES = int(os.environ.get("PERFDB_SITE_NODES", "1"))
WALLTIME = os.environ.get("PERFDB_SITE_WALLTIME", "00:30:00")
SCHEDULER_OPTIONS = os.environ.get("PERFDB_SITE_SCHEDULER_OPTIONS", "")  # whole lines: #SBATCH --qos=short
WORKER_INIT = os.environ.get("PERFDB_SITE_WORKER_INIT", "")  # shell: how a node finds this Python environment
ADDRESS = os.environ.get("PERFDB_SITE_ADDRESS", "") or None  # empty: workers try each address of this host

config = Config(
    executors=[
        HighThroughputExecutor(
            label="htex",
            address=ADDRESS,
            cores_per_worker=1,
            provider=SlurmProvider(
                partition=PARTITION,
                account=ACCOUNT,
                nodes_per_block=NODES,
                init_blocks=1,
                min_blocks=1,
                max_blocks=1,
                walltime=WALLTIME,
                scheduler_options=SCHEDULER_OPTIONS,
                worker_init=WORKER_INIT,
                # Nobody else's job may share the nodes while they are measured.
                exclusive=True,
                # Asked for outright: where a site binds a step of one task to one CPU, every worker would sit on it.
                launcher=SrunLauncher(overrides="--cpus-per-task=$SLURM_CPUS_ON_NODE"),
            ),
        )
    ],
)
