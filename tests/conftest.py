"""What every test may use."""

from __future__ import annotations

import hypothesis
import pytest

from tests.disks import small_disk

__all__ = ["drill_share", "pytest_addoption", "small_disk"]


# What a shared machine takes for an example says nothing about the code; benchmarks/ measure.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


LONG_FILES = ("end_to_end", "browser", "tracking")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--drill-share", type=float, default=0.1, help="share of each drill to run, 0 to 1; CI: 0.1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A drill that has no share of itself to run is run whole or not at all.

    Workers get a file each in this order: the long ones come first, so that none is still to do when all else is done.
    """
    items.sort(key=lambda item: item.path.parent.name not in LONG_FILES)
    if config.getoption("--drill-share") == 1:
        return
    left = [item for item in items if item.get_closest_marker("drill") and "drill_share" not in item.fixturenames]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="session")
def drill_share(request: pytest.FixtureRequest) -> float:
    share: float = request.config.getoption("--drill-share")
    assert 0 < share <= 1, "--drill-share is more than 0 and at most 1"
    return share
