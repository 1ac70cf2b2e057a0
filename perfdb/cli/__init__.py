"""The command line: the only place that prints."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn


def main() -> NoReturn:
    """`perfdb`."""
    from perfdb.cli.app import app

    _exit_with(app)


def run_parsl_perf() -> NoReturn:
    """`run-parsl-perf.py CONFIG [RUN_NAME]`: `perfdb run throughput CONFIG` under the name people know."""
    from perfdb.cli.run import parsl_perf_app

    _exit_with(parsl_perf_app())


def _exit_with(app: Callable[..., object]) -> NoReturn:
    """Run a command; what perfdb foresaw ends in one paragraph and its exit code, anything else is a bug."""
    from perfdb.errors import EXIT_INTERRUPTED, PerfdbError

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means it
            signal.signal(number, _as_ctrl_c)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that has no sign for a micro gets a question mark, never a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except PerfdbError as error:
        from perfdb.cli.terminal import printable

        print(f"perfdb: {printable(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("perfdb: interrupted.", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read us has left (`perfdb list | head`). Python would complain once more while it closes stdout.
        sys.stderr.close()
        sys.exit(0)
    sys.exit(0)


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> NoReturn:
    # A batch system or a closed terminal ends us like Ctrl-C does: in good order, with a record.
    raise KeyboardInterrupt
