"""HighThroughputExecutor on mini-slurm (`mini-slurm scheduler`): blocks of one CPU of this machine that come and go."""

import shlex
import sys
from pathlib import Path

from parsl.config import Config
from parsl.executors import HighThroughputExecutor

from perfdb.minislurm.client import is_running
from perfdb.minislurm.places import Places
from perfdb.minislurm.provider import MiniSlurmProvider

if is_running(Places.here()) is None:
    raise RuntimeError(
        "no scheduler of mini-slurm runs here: type `mini-slurm scheduler` in another terminal, then try again"
    )

config = Config(
    executors=[
        HighThroughputExecutor(
            label="htex",
            address="127.0.0.1",
            cores_per_worker=1,
            provider=MiniSlurmProvider(
                cores_per_node=1,
                mem_per_node=1,
                init_blocks=1,
                min_blocks=0,
                max_blocks=2,
                walltime="00:10:00",
                worker_init=f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH",
            ),
        )
    ],
    # Scales in block by block as workers fall idle, not all blocks at once.
    strategy="htex_auto_scale",
    # Blocks come and go within seconds here, and it is that which is measured.
    strategy_period=1,
    max_idletime=3,
)
