"""HighThroughputExecutor in pods of a local kind cluster: one pod a block, one worker and one CPU a pod.

deploy/kubernetes/README.md starts the cluster and builds the image.
"""

import os

from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.providers import KubernetesProvider

IMAGE = os.environ.get("PERFDB_SITE_IMAGE", "perfdb-worker:local")
NAMESPACE = os.environ.get("PERFDB_SITE_NAMESPACE", "default")
PODS = int(os.environ.get("PERFDB_SITE_PODS", "2"))
ADDRESS = os.environ.get("PERFDB_SITE_ADDRESS", "") or None  # empty: pods try each address of this host, kind's too

config = Config(
    executors=[
        HighThroughputExecutor(
            label="htex",
            address=ADDRESS,
            # A pod sees every core of the host, whatever its limit; so the workers are counted here.
            max_workers_per_node=1,
            # The certificates lie in this host's run folder, which no pod can read.
            encrypted=False,
            worker_logdir_root="/tmp",
            provider=KubernetesProvider(
                image=IMAGE,
                namespace=NAMESPACE,
                nodes_per_block=1,
                init_blocks=PODS,
                min_blocks=PODS,
                max_blocks=PODS,
                # Requests equal to limits: no pod is throttled or favoured because of its neighbour.
                init_cpu=1,
                max_cpu=1,
                init_mem="512Mi",
                max_mem="512Mi",
            ),
        )
    ],
)
