"""MPIExecutor with one worker on this machine, to see what its scheduling of nodes costs.

It needs a resource specification with every task, so run it as

    run-parsl-perf.py local_mpi --resources '{"num_nodes": 1, "ranks_per_node": 1}'

No MPI launcher is needed: parsl-perf's task never calls the `mpiexec` prefix that Parsl prepares for it.
"""

from parsl.config import Config
from parsl.executors import MPIExecutor
from parsl.launchers import SimpleLauncher
from parsl.providers import LocalProvider

# MPIExecutor takes its nodes from Slurm or from a PBS node file, and outside a batch job it refuses to start.
ONE_NODE = """\
export PBS_NODEFILE="$(mktemp)"
trap 'rm -f "$PBS_NODEFILE"' EXIT
echo localhost > "$PBS_NODEFILE"
"""

config = Config(
    executors=[
        MPIExecutor(
            label="mpi",
            address="127.0.0.1",
            max_workers_per_block=1,
            mpi_launcher="mpiexec",
            provider=LocalProvider(
                init_blocks=1,
                min_blocks=1,
                max_blocks=1,
                launcher=SimpleLauncher(),
                worker_init=ONE_NODE,
            ),
        )
    ],
)
