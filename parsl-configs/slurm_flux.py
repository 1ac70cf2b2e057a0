"""FluxExecutor: a Flux instance inside one Slurm job, by default on partition `hopper-cpu`; every task is a Flux job.

Needs Flux (flux-core, with its Python bindings for this Python) on PATH here and on the nodes.
"""

import os

from parsl.config import Config
from parsl.executors import FluxExecutor
from parsl.launchers import SrunLauncher
from parsl.providers import SlurmProvider

PARTITION = os.environ.get("PERFDB_SITE_PARTITION", "hopper-cpu")
ACCOUNT = os.environ.get("PERFDB_SITE_ACCOUNT", "") or None  # empty: your default account
NODES = int(os.environ.get("PERFDB_SITE_NODES", "1"))
WALLTIME = os.environ.get("PERFDB_SITE_WALLTIME", "00:30:00")
SCHEDULER_OPTIONS = os.environ.get("PERFDB_SITE_SCHEDULER_OPTIONS", "")  # whole lines: #SBATCH --qos=short
WORKER_INIT = os.environ.get("PERFDB_SITE_WORKER_INIT", "")  # shell: how a node finds Flux and this environment
SRUN_OPTIONS = os.environ.get("PERFDB_SITE_SRUN_OPTIONS", "--mpi=pmi2")  # how Flux's brokers find each other

config = Config(
    executors=[
        FluxExecutor(
            label="flux",
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
                exclusive=True,
                # One broker a node, which sees the CPUs it is bound to: so it asks for all of them.
                launcher=SrunLauncher(overrides=f"--cpus-per-task=$SLURM_CPUS_ON_NODE {SRUN_OPTIONS}".rstrip()),
            ),
        )
    ],
)
