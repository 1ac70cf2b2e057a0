"""Real Slurm: without its packages there is nothing to test, and `make test` installs them where it may."""

from __future__ import annotations

import pytest

from perfdb.errors import ClusterError
from perfdb.platforms.pocket.programs import Programs


@pytest.fixture(scope="session")
def real_slurm() -> None:
    try:
        Programs.found()
    except ClusterError as missing:
        pytest.fail(str(missing))
