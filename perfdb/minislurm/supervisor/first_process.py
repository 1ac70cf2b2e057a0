"""The job's first process."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from perfdb.minislurm.enforcement.enforcement import Enforcement, Share
from perfdb.minislurm.supervisor.order import Order

# As a shell has it for what it cannot run.
UNSTARTED_CODE = 127


class Unstarted(Exception):
    """It could not be run; in words, why."""


def begin(order: Order, enforcement: Enforcement, share: Share) -> int:
    """Run the job's program in a session of its own, under `enforcement` from its first moment.

    It is not forked but spawned: a fork would copy what this process writes to from then on, page after page. Spawned, it
    gets everything from us: so this process is for a moment where the job is to be, and in its folder for good.

    Returns:
        Its pid.

    Raises:
        Unstarted: it can't be run.
    """
    outputs: list[int] = []
    try:
        for what in (order.stdout, order.stderr):
            with _told(what):
                outputs.append(_open(what))
        with _told(order.cwd):
            os.chdir(order.cwd)
        with _told(order.argv[0]):
            program = _find(order.argv[0], order.env.get("PATH", os.defpath))
        try:
            with _told(f"keeping it to its CPUs and its memory by {enforcement.name}"):
                enforcement.join(share)
            with _told(order.argv[0]):
                return os.posix_spawn(
                    program,
                    order.argv,
                    order.env,
                    file_actions=[(os.POSIX_SPAWN_DUP2, outputs[0], 1), (os.POSIX_SPAWN_DUP2, outputs[1], 2)],
                    setsid=True,
                    setsigmask=(),
                )
        finally:
            with contextlib.suppress(OSError):
                enforcement.leave()
    finally:
        for output in outputs:
            os.close(output)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise Unstarted(f"{getattr(error, 'strerror', None) or error}: {what}") from error


def _open(path: str) -> int:
    # Without O_NONBLOCK a pipe that nobody reads would hold us here for ever.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, 0o666)
    os.set_blocking(file, True)
    return file


def _find(program: str, path: str) -> str:
    """Where on `path` it is, as a shell would find it; with a slash it is a path itself."""
    if "/" in program:
        return program
    number = errno.ENOENT
    for folder in path.split(os.pathsep):
        found = f"{folder or '.'}/{program}"
        if os.access(found, os.X_OK) and not os.path.isdir(found):  # noqa: PTH112 # a Path each costs more than the call
            return found
        if os.access(found, os.F_OK):
            number = errno.EACCES
    raise OSError(number, os.strerror(number))
