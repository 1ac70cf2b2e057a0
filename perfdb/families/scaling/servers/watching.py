"""What a load's child is told of watching the service, and what of that a record keeps."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from perfdb.errors import UsageError
from perfdb.families.base import Program
from perfdb.record import Scalar
from perfdb.services.addresses import Address

_WATCHED = Path(__file__).parents[1] / "child" / "watch" / "watched.py"
# Stands in a record for a command, which may name hosts or hold secrets.
NOT_KEPT = "(not kept)"
UNKEPT: Mapping[str, Scalar] = {"admin": None, "fault_command": NOT_KEPT}
# Taking turns gives every host the same, but for one session for each thread of the balancer.
EVEN = 0.2


def _admin(value: str) -> str:
    try:
        return str(Address.parsed(value))
    except UsageError as error:
        raise ValueError(str(error)) from error


def _command(value: str) -> str:
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise ValueError(f"it is no command: {error}") from error
    if not words or not words[0] or "\0" in value:
        raise ValueError("it is a command such as 'kill -9 4711'; for a shell's own words write sh -c '…'")
    return value


Admin = Annotated[str, Field(max_length=300), AfterValidator(_admin)]
Command = Annotated[str, Field(max_length=4000), AfterValidator(_command)]


def watched(program: Program, admin: str | None, fault_after_s: float | None, command: str | None) -> Program:
    """The program with somebody who watches the service meanwhile.

    Raises:
        UsageError: the fault's command is that of a record, which keeps none.
    """
    if command == NOT_KEPT:
        raise UsageError("a record does not keep the command of its fault. Give it anew, with --fault-command.")
    asked = {
        "argv": program.argv,
        "admin": admin,
        "fault_after_s": fault_after_s,
        "fault_argv": None if command is None else shlex.split(command),
    }
    return replace(
        program, argv=(sys.executable, str(_WATCHED)), env={**program.env, "PERFDB_WATCH": json.dumps(asked)}
    )
