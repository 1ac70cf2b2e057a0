"""The benchmark environment's protocol on asyncio alone: no framework, no thread a session.

It answers as openenv-core does (see `perfdb.services.benchmark`), counts what it holds, and can be told to fail as planned.
"""

from perfdb.services.lean.options import Options

__all__ = ["Options"]
