"""HighThroughputExecutor on a pocket cluster (`perfdb cluster up`): blocks of one node, one worker each, that come and go."""

import os
import shlex
import sys
from pathlib import Path

from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.launchers import SingleNodeLauncher
from parsl.providers import SlurmProvider

SLURM_CONF = os.environ.get("SLURM_CONF", "")  # set by: eval "$(perfdb cluster env)"

if not SLURM_CONF:
    raise RuntimeError(
        "this shell speaks to no pocket cluster: start one with `perfdb cluster up` if none runs, "
        'then type: eval "$(perfdb cluster env)"'
    )

config = Config(
    executors=[
        HighThroughputExecutor(
            label="htex",
            address="127.0.0.1",
            cores_per_worker=1,
            provider=SlurmProvider(
                partition="pocket",
                nodes_per_block=1,
                # What Slurm calls nodes is one machine, whose cores a worker would count as its node's own.
                cores_per_node=1,
                init_blocks=1,
                min_blocks=0,
                max_blocks=3,
                walltime="00:10:00",
                exclusive=True,
                launcher=SingleNodeLauncher(),
                worker_init=f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH",
            ),
        )
    ],
    # Nodes come and go within seconds here, and it is that which is measured.
    strategy="simple",
    strategy_period=1,
    max_idletime=3,
)
