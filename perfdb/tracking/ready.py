"""The one process of a sync that talks to MLflow: importing MLflow takes seconds, and is done once or not at all."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from perfdb.errors import TrackingError
from perfdb.tracking.process import IMPORT_LIMIT_S, MirrorProcess
from perfdb.tracking.target import Target

REQUEST_TIMEOUT_S = 10
RETRIES = 2


class ReadyProcess:
    """Starts when it is first asked for, and serves records and charts alike until the block ends.

    with ReadyProcess(target) as process:
        sync_records(target, ..., process=process)
        chart_runs(target, ..., process=process)
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._child: MirrorProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.kill()

    def child(self) -> MirrorProcess:
        """The process, with MLflow imported.

        Raises:
            TrackingError: MLflow can't be reached.
            TooLate: the import does not end.
        """
        if self._child is None:
            self._child = MirrorProcess(self._target, request_timeout_s=REQUEST_TIMEOUT_S, retries=RETRIES)
            for stage in ("alive", "ready"):
                if stage not in (answer := self._child.read(IMPORT_LIMIT_S)):
                    raise TrackingError(answer["error"])
        return self._child
