"""HighThroughputExecutor with its workers on this machine, one worker a core, all traffic on loopback.

Only parameters that every release since 2023.10.16 knows are set. So `encrypted` is left to the release: each one is
measured the way its users get it (off until it became the default), and the record's parameters say which it was.
"""

from parsl.config import Config
from parsl.executors import HighThroughputExecutor
from parsl.providers import LocalProvider

config = Config(
    executors=[
        HighThroughputExecutor(
            label="htex",
            address="127.0.0.1",
            cores_per_worker=1,
            # min_blocks=1: a pause between repetitions must not end the block and make the next one cold.
            provider=LocalProvider(init_blocks=1, min_blocks=1, max_blocks=1),
        )
    ],
)
