"""A child that runs beside others, from the first that wants it to the last: what it holds is asked for once."""

from __future__ import annotations

import threading
from pathlib import Path

from perfdb.families import Program
from perfdb.processes.supervised import Supervised


class Companion:
    """One that runs, or has ended by itself. Should perfdb die, its supervisor ends it, like any child's."""

    def __init__(self, program: Program, run_dir: Path, child: Supervised) -> None:
        self.program, self.run_dir = program, run_dir
        self._child = child
        # What it says is in its log, beside Parsl's own; somebody must take it in all the same, or it would wait for us.
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def end(self) -> None:
        """Have it end in good order; Ctrl-C makes it end at once."""
        with self._child as child:
            child.stop()
            while self._listener.is_alive():
                try:
                    self._listener.join()
                except KeyboardInterrupt:
                    child.stop()

    def _listen(self) -> None:
        while self._child.read() is not None:
            pass
