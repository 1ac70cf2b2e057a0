"""openenv-connection.env."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import ServiceError
from perfdb.services.addresses import Address
from perfdb.services.connection import Connection, put
from tests.disks import SmallDisk

LOCAL = Connection("http://127.0.0.1:8000", (Address("127.0.0.2", 8000), Address("127.0.0.3", 8000)), "127.0.0.1")


def test_a_shell_that_sources_it_has_the_runbooks_variables(tmp_path: Path):
    put(tmp_path / "openenv-connection.env", LOCAL.text())
    script = """
        source openenv-connection.env
        for node in $WORKER_NODES; do echo "$node"; done
        for url in $WORKER_URLS; do echo "$url"; done
        bash -c 'echo "$OPENENV_URL $NUM_WORKERS $ENVOY_NODE"'
    """
    done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "127.0.0.2",
        "127.0.0.3",
        "http://127.0.0.2:8000",
        "http://127.0.0.3:8000",
        "http://127.0.0.1:8000",
        "2",
        "127.0.0.1",
    ]


hosts = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?", fullmatch=True)
addresses = st.builds(Address, hosts | st.ip_addresses().map(str), st.integers(1, 65535))


@given(addresses, st.lists(addresses, min_size=1, max_size=5), addresses)
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, url: Address, workers: list[Address], admin: Address
):
    path = tmp_path_factory.getbasetemp() / "connection.env"
    told = Connection(url.url, tuple(workers), admin.host, admin.port)
    put(path, told.text())
    assert Connection.read(path) == told


def test_a_file_without_an_admin_port_means_9901(tmp_path: Path):
    path = tmp_path / "by-hand.env"
    path.write_text('OPENENV_URL=http://n0:8000\nWORKER_URLS="http://n1:8000 http://n2:8000"\nENVOY_NODE=n0\n')
    assert Connection.read(path) == Connection("http://n0:8000", (Address("n1", 8000), Address("n2", 8000)), "n0", 9901)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OPENENV_URL=x\nENVOY_NODE=y\n",
        "OPENENV_URL=x\nENVOY_NODE=y\nWORKER_URLS='http://a:b'\n",
        "OPENENV_URL=x\nENVOY_NODE='a b'\nWORKER_URLS=http://a:1\n",
        "OPENENV_URL=x\nENVOY_NODE=y\nENVOY_ADMIN_PORT=z\nWORKER_URLS=http://a:1\n",
        "OPENENV_URL='x\nENVOY_NODE=y\nWORKER_URLS=http://a:1\n",
    ],
)
def test_a_file_that_lacks_something_is_told_and_not_guessed_at(tmp_path: Path, text: str):
    path = tmp_path / "odd.env"
    path.write_text(text)
    with pytest.raises(ServiceError, match=r"does not say where a service is.*Have it written anew"):
        Connection.read(path)


def test_nothing_in_the_file_is_run(tmp_path: Path):
    path = tmp_path / "hostile.env"
    path.write_text(f"touch {tmp_path}/run\n$(touch {tmp_path}/run)\n" + LOCAL.text() + f"X=$(touch {tmp_path}/run)\n")
    assert Connection.read(path) == LOCAL
    assert not (tmp_path / "run").exists()


def test_a_pipe_does_not_hold_us_and_is_no_connection_file(tmp_path: Path):
    path = tmp_path / "pipe.env"
    os.mkfifo(path)
    with pytest.raises(ServiceError, match=r"pipe\.env is no file"):
        Connection.read(path)


def test_a_file_that_is_too_large_is_refused_and_not_half_read(tmp_path: Path):
    path = tmp_path / "large.env"
    path.write_text(LOCAL.text() + "#" * 1024 * 1024)
    with pytest.raises(ServiceError, match=r"large\.env is larger than 1 MiB"):
        Connection.read(path)


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_fail_otherwise(tmp_path_factory: pytest.TempPathFactory, data: bytes):
    path = tmp_path_factory.getbasetemp() / "bytes.env"
    path.write_bytes(data)
    with pytest.raises(ServiceError):
        Connection.read(path)


def test_a_file_that_is_not_there_is_told_with_who_writes_it(tmp_path: Path):
    with pytest.raises(ServiceError, match=r"perfdb serve multi.*--connection"):
        Connection.read(tmp_path / "none.env")


def test_on_a_full_disk_the_old_file_stays_and_no_draft_is_left(small_disk: Callable[[int], SmallDisk]):
    disk = small_disk(1)
    path = disk.path / "openenv-connection.env"
    put(path, LOCAL.text())
    disk.fill()
    with pytest.raises(ServiceError, match=r"could not be written: No space left"):
        put(path, LOCAL.text() * 100)
    assert Connection.read(path) == LOCAL
    assert disk.files() == [path.name]
