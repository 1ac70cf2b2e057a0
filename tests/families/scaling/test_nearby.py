"""What a connection file beside a run says of Envoy's admin."""

from __future__ import annotations

import pytest

from perfdb.families.scaling.nearby import NEARBY
from perfdb.services.addresses import Address
from perfdb.services.connection import FILE, Connection

URL = "http://127.0.0.1:8000"
TEXT = Connection(URL, (Address("127.0.0.2", 8000),), "127.0.0.9", 9902).text()


def test_the_admin_of_the_service_that_it_tells_of_is_taken() -> None:
    assert NEARBY.options(URL + "/", {FILE: TEXT}) == {"admin": "127.0.0.9:9902"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\ufffd",
        TEXT.replace("9902", "x"),
        TEXT.replace("9902", "99020"),
        TEXT.replace("127.0.0.9", "'a b'"),
        TEXT.replace("export ENVOY_NODE", "export OTHER"),
    ],
)
def test_garbage_says_nothing(text: str) -> None:
    assert NEARBY.options(URL, {FILE: text}) == {}


@pytest.mark.parametrize("url", ["http://127.0.0.2:8000", "http://127.0.0.1:8001", ""])
def test_another_services_file_says_nothing(url: str) -> None:
    assert NEARBY.options(url, {FILE: TEXT}) == {}


def test_without_a_file_nothing_is_said() -> None:
    assert NEARBY.options(URL, {}) == {}
