"""What goes wrong with a pocket cluster."""

from __future__ import annotations

from perfdb.errors import PerfdbError


class ClusterError(PerfdbError):
    """The pocket cluster can't be started, found or ended."""
