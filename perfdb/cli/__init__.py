"""The command line: the only place that prints."""

from __future__ import annotations

import errno
import io
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

INTERRUPTED = "What was written is whole and stays; type the same command again to go on."
# Never a bug: of a longer output than a buffer holds, above all.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main() -> NoReturn:
    """`perfdb`."""

    def perfdb() -> None:
        from perfdb.cli.app import app

        app()

    _exit_with(perfdb)


def run_parsl_perf() -> NoReturn:
    """`run-parsl-perf.py CONFIG [RUN_NAME]`: `perfdb run throughput CONFIG` under the name people know."""

    def throughput() -> None:
        from perfdb.cli.run import parsl_perf_app

        parsl_perf_app()()

    _exit_with(throughput)


def mini_slurm() -> NoReturn:
    """`mini-slurm`: the scheduler for this machine."""

    def scheduler() -> None:
        from perfdb.cli.mini_slurm.app import app

        app()

    _exit_with(
        scheduler, "mini-slurm", "What was submitted stays, and jobs that run go on; mini-slurm queue shows them."
    )


def _exit_with(app: Callable[..., object], program: str = "perfdb", interrupted: str = INTERRUPTED) -> NoReturn:
    """Run a command, from its import on; what perfdb foresaw ends in one paragraph and its exit code, anything else is a
    bug."""
    from perfdb.cli.terminal import silence
    from perfdb.errors import EXIT_ERROR

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means it
            signal.signal(number, _as_ctrl_c)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that has no sign for a micro gets a question mark, never a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    code = _code_of(app, program, interrupted)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        silence(1)  # or Python, too, would complain while it closes it
        if not isinstance(error, BrokenPipeError):
            print(f"{program}: standard output cannot be written: {error.strerror}.", file=sys.stderr)
            code = EXIT_ERROR
    sys.exit(code)


def _code_of(app: Callable[..., object], program: str, interrupted: str) -> str | int | None:
    from perfdb.cli.terminal import printable, silence
    from perfdb.errors import EXIT_DONE, EXIT_ERROR, PerfdbError

    stdout = sys.stdout
    try:
        app()
    except SystemExit as leaving:
        if _was_interrupted(leaving):  # typer makes an exit code of it, without a word
            return _interrupted(program, interrupted)
        # A reader that has seen enough (`perfdb list | head`) is no error. Typer takes it for one, and then puts a stream
        # of its own in stdout's place.
        return leaving.code if sys.stdout is stdout else EXIT_DONE
    except PerfdbError as error:
        print(f"{program}: {printable(str(error))}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return _interrupted(program, interrupted)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        silence(1)  # what a buffer did not get rid of
        print(f"{program}: what was to be written cannot be: {error.strerror}.", file=sys.stderr)
        return EXIT_ERROR
    return EXIT_DONE


def _was_interrupted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _interrupted(program: str, words: str) -> int:
    from perfdb.errors import EXIT_INTERRUPTED

    print(f"{program}: interrupted. {words}", file=sys.stderr)
    return EXIT_INTERRUPTED


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> NoReturn:
    # A batch system or a closed terminal ends us like Ctrl-C does: in good order, with a record.
    raise KeyboardInterrupt
