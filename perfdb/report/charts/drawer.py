"""The parent's end of the process that draws records' charts: never longer than asked, and never an error."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from perfdb.processes.tree import MARKER

# A tenth of a second a chart, and a second or two for the first one; this is for an engine that never ends.
LIMIT_S = 30.0


class Drawer:
    """One process, which starts at once and gets ready while we do something else.

    with Drawer() as drawer:
        files = drawer.draw(folder)     # of this record; they are gone once the next one is drawn
    """

    def __init__(self) -> None:
        self._into = Path(tempfile.mkdtemp(prefix="perfdb-charts-"))
        self._buffer = b""
        # Not of a measured run's family, whose processes are counted and ended.
        environment = {name: value for name, value in os.environ.items() if name != MARKER}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "perfdb.report.charts.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def draw(self, folder: Path, limit_s: float = LIMIT_S) -> list[Path] | None:
        """The charts of the record in `folder` as SVG files, none or several; None where that did not work."""
        self.ask(folder)
        return self.answer(limit_s)

    def ask(self, folder: Path) -> None:
        """Begin to draw; `answer` tells what came of it, and must be called before anything else is asked."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it ended: `answer` finds that out
            for old in self._into.iterdir():
                old.unlink()
            job = {"folder": str(folder.absolute()), "into": str(self._into)}
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            self._process.stdin.flush()

    def answer(self, limit_s: float = LIMIT_S) -> list[Path] | None:
        """What `draw` gives."""
        try:
            answer = json.loads(self._line(time.monotonic() + limit_s))
        except (OSError, ValueError):
            return None  # it ended, or is too slow
        return [Path(name) for name in answer["files"]] if "files" in answer else None

    def close(self) -> None:
        """End the process, and remove its files."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        shutil.rmtree(self._into, ignore_errors=True)

    def _line(self, deadline: float) -> bytes:
        assert self._process.stdout is not None
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            if not data:
                self._process.kill()  # an answer that comes late would be taken for the next one's
                raise OSError("no answer")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line
