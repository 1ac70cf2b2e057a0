"""`python -m perfdb.services.benchmark OPTIONS`, with the options as JSON: the server itself."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

from perfdb.errors import ServiceError
from perfdb.services.benchmark.options import Options
from perfdb.services.benchmark.server import serve
from perfdb.services.lifeline import die_with_starter


def _ended(_number: int, _frame: FrameType | None) -> NoReturn:
    # uvicorn, once it has closed its sessions, sends itself the signal again that told it to.
    sys.exit(0)


if __name__ == "__main__":
    die_with_starter()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ended)
    try:
        serve(Options.from_json(sys.argv[1]))
    except ServiceError as error:
        sys.exit(f"perfdb: {error}")
