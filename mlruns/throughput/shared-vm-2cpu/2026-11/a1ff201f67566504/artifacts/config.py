"""Threads inside one Python process: what Parsl itself costs, with nothing between it and the task.

Two threads on every machine, so that results from different machines compare.
"""

from parsl.config import Config
from parsl.executors import ThreadPoolExecutor

config = Config(executors=[ThreadPoolExecutor(label="threads", max_threads=2)])
