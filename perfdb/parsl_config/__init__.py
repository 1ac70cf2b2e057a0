"""What a Parsl config sets up: loaded once in a child process, redacted, fingerprinted."""

from perfdb.parsl_config.describing import describe
from perfdb.parsl_config.description import ConfigDescription, ExecutorDescription

__all__ = ["ConfigDescription", "ExecutorDescription", "describe"]
