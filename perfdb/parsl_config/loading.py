"""Run the child that loads a config, and be sure that it ends, with all it started."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from perfdb.parsl_config.description import ParamValue
from perfdb.processes.tree import MARKER, end_run

LARGEST_ANSWER = 4 * 1024 * 1024
_COMPLAINT_KEPT = 4096
_CHILD = Path(__file__).parent / "child" / "describe.py"
_ANSWER_FD = "PERFDB_ANSWER_FD"
_PARENT = "PERFDB_PARENT_PID"
OVERRIDES = "PERFDB_OVERRIDES"


@dataclass(frozen=True)
class Loaded:
    """What came of the child: its answer, the end of its complaints, and how it ended.

    `returncode` is negative for a signal, and None where it had to be ended: `timed_out`, or an answer `too_long`.
    """

    answer: bytes
    complaint: str
    returncode: int | None
    timed_out: bool = False
    too_long: bool = False


def load(config: Path, *, python: Path, timeout_s: float, run: str, overrides: Mapping[str, ParamValue]) -> Loaded:
    """Have the child under `python` describe a config; raw secrets travel over a pipe and nowhere else.

    Raises:
        OSError: `python` can't be run.
    """
    answer_fd, child_fd = os.pipe()
    try:
        env = dict(os.environ, **{_ANSWER_FD: str(child_fd), _PARENT: str(os.getpid()), MARKER: run})
        env[OVERRIDES] = json.dumps(dict(overrides))
        # Configs and executors look for their programs on PATH: those of the Parsl that is measured come first.
        env["PATH"] = os.pathsep.join([str(python.parent), env.get("PATH", os.defpath)])
        process = subprocess.Popen(
            [str(python), str(_CHILD), str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(child_fd,),
            env=env,
            start_new_session=True,
        )
    except BaseException:
        os.close(answer_fd)
        raise
    finally:
        os.close(child_fd)
    try:
        return _listen(process, answer_fd, time.monotonic() + timeout_s)
    finally:
        os.close(answer_fd)
        # Before the child is reaped its number is still the group's.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # What the config started in sessions of its own is found by the marker.
        end_run(run, grace_s=0.5, patience_s=5.0)
        assert process.stderr is not None
        process.stderr.close()


def _listen(process: subprocess.Popen[bytes], answer_fd: int, deadline: float) -> Loaded:
    assert process.stderr is not None
    answer, complaint = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(answer_fd, selectors.EVENT_READ, answer)
        selector.register(process.stderr, selectors.EVENT_READ, complaint)
        # The answer is one line. Its end, not the pipe's, is what counts: the config's children may hold the pipe.
        while not answer.endswith(b"\n") and answer_fd in selector.get_map():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return Loaded(b"", _text(complaint), None, timed_out=True)
            for key, _ in selector.select(left_s):
                data = os.read(key.fd, 65536)
                key.data.extend(data)
                if not data:
                    selector.unregister(key.fileobj)
            del complaint[:-_COMPLAINT_KEPT]
            if len(answer) > LARGEST_ANSWER:
                return Loaded(b"", _text(complaint), None, too_long=True)
    if answer.endswith(b"\n"):
        return Loaded(bytes(answer), _text(complaint), 0)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, deadline - time.monotonic()))
    return Loaded(bytes(answer), _text(complaint), process.returncode, timed_out=process.returncode is None)


def _text(data: bytearray) -> str:
    return data.decode("utf-8", "replace")
