"""The benchmark environment on openenv-core: a step waits as long as it is told to, and says where.

The server is openenv-core's own, under uvicorn, as people run it: that is what a run finds the ceiling of.
"""

from perfdb.services.benchmark.options import Options

__all__ = ["Options"]
