"""A pocket cluster whose running jobs can be resized more than once: that takes accounting."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.platforms.clusters import Cluster, pocket


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    if shutil.which("slurmctld") is None or shutil.which("slurmdbd") is None:
        pytest.skip("no Slurm with accounting is installed here")
    with pocket("elastic", nodes=4, accounting=True) as started:
        yield started
