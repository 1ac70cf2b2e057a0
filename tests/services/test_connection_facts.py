"""What a connection file says for people's logs."""

from __future__ import annotations

from perfdb.services.addresses import Address
from perfdb.services.connection import Connection, assignments


def connection(**facts: str) -> Connection:
    return Connection("http://127.0.0.1:8000", (Address("127.0.0.2", 8000),), "127.0.0.1", facts=facts)


def test_what_is_known_of_a_deployment_is_written_and_read_as_text() -> None:
    command = "perfdb serve multi --backends 2; echo '$(id)'"
    told = assignments(connection(OPENENV_SERVER_COMMAND=command, OPENENV_WORKERS_PER_NODE="2").text())
    assert (told["OPENENV_SERVER_COMMAND"], told["OPENENV_WORKERS_PER_NODE"]) == (command, "2")


def test_nothing_else_than_such_facts_gets_into_the_file() -> None:
    assert "PATH" not in assignments(connection(PATH="/x", OPENENV_CPUS_PER_NODE="").text())
    assert "OPENENV_CPUS_PER_NODE" not in connection(OPENENV_CPUS_PER_NODE="").text()


def test_facts_make_no_other_connection() -> None:
    assert connection(OPENENV_CPUS_PER_NODE="2") == connection()
