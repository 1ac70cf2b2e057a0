"""One real MLflow server for all of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from perfdb.settings import Settings
from perfdb.tracking import Target, server
from perfdb.tracking.server import Server
from tests.tracking.records import sqlite_target


@pytest.fixture(scope="session")
def settings_of_server(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(root=tmp_path_factory.mktemp("server"), server_port=0)


@pytest.fixture(scope="session")
def mlflow_server(settings_of_server: Settings) -> Iterator[Server]:
    started = server.start(settings_of_server)
    yield started
    server.stop(settings_of_server)


@pytest.fixture(scope="session")
def http_target(mlflow_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Target:
    state = tmp_path_factory.mktemp("client")
    return Target(mlflow_server.url, str(state / "unused"), str(state))


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Target:
    return sqlite_target(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session", autouse=True)
def _mlflow_is_quiet(tmp_path_factory: pytest.TempPathFactory) -> None:
    from perfdb.tracking.door import import_mlflow

    import_mlflow(sqlite_target(tmp_path_factory.mktemp("import")), timeout_s=10, retries=1)
