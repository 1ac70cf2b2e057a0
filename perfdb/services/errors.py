"""The one error of this room."""

from __future__ import annotations

from perfdb.errors import PerfdbError


class ServiceError(PerfdbError):
    """A service under test can't be started, reached or understood."""
