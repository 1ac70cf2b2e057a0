"""Where servers listen."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfdb.errors import PerfdbError, ServiceError, UsageError
from perfdb.services.addresses import Address, check_free, host_url
from tests.services.serving import free_port


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.2:8000", "127.0.0.2", 8000), ("node-1.site:1", "node-1.site", 1), ("[::1]:65535", "::1", 65535)],
)
def test_an_address_is_read_and_written_alike(text: str, host: str, port: int):
    address = Address.parsed(text)
    assert (address.host, address.port, str(address)) == (host, port, text)
    assert address.url == f"http://{text}"


def test_a_host_alone_takes_the_default_port():
    assert Address.parsed("node-1", 8000) == Address("node-1", 8000)
    assert Address.parsed("[::1]", 8000) == Address("::1", 8000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "node",
        ":8000",
        "node:",
        "node:0",
        "node:65536",
        "node:٣",
        "a b:1",
        'x"}:1',
        "x\n:1",
        "-x:1",
        "x_y:1",
        "::1",
        "[fe80::1%$(x)]:1",
    ],
)
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(UsageError):
        Address.parsed(text)


@given(st.text())
def test_no_text_makes_it_fail_otherwise_or_pass_with_a_sign_that_means_something_in_yaml_or_a_shell(text: str):
    try:
        address = Address.parsed(text, 8000)
    except UsageError:
        return
    assert not set(address.host) & set(" \t\n\"'{}[],#&*!|>%@`$;()<>\\")


def test_a_server_calls_itself_after_the_address_that_it_listens_on():
    assert host_url("127.0.0.3", 8000) == "127.0.0.3:8000"
    assert host_url("0.0.0.0", 8000) == f"{socket.gethostname()}:8000"


@pytest.mark.parametrize("host", ["0.0.0.0", "0", "0x0", "0.0", "::", "0:0::0"])
def test_what_stands_for_every_address_is_known_however_it_is_written(host: str):
    assert Address(host, 8000).is_every


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "::1", "n0", "10.0.0.0"])
def test_one_address_is_not_every_one(host: str):
    assert not Address(host, 8000).is_every


def test_a_port_that_is_taken_is_told_with_the_command_that_shows_by_whom():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(ServiceError, match=rf"something listens on 127\.0\.0\.1:{port} already.*sport = :{port}"):
            check_free(Address("127.0.0.1", port))
        check_free(Address("127.0.0.2", port))


def test_a_port_is_taken_also_by_one_who_would_share_it():
    """As Envoy does: a second one would else get half of the first one's sessions."""
    port = free_port()
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen()
        with pytest.raises(ServiceError, match="already"):
            check_free(Address("127.0.0.1", port))


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_told(host: str):
    with pytest.raises(PerfdbError, match="no address"):
        check_free(Address(host, free_port()))
